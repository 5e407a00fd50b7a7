"""The whole exchange in figures."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from engine.amounts import format_amount
from engine.client import EngineUnavailable, engine_client
from engine.core.queries import GetState
from engine.core.replies import StateReply


class Command(BaseCommand):
    help = (
        "Print sequence, state hash, totals by asset and open orders by market, as one JSON object."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            state = engine_client().call(GetState(), timeout=30).reply
        except EngineUnavailable as error:
            raise CommandError(str(error)) from error
        assert isinstance(state, StateReply)
        self.stdout.write(json.dumps(describe(state)))


def describe(state: StateReply) -> dict[str, Any]:
    """Amounts as decimal strings; `sum` is zero unless money was made or lost."""
    assets = {}
    for symbol, totals in state.assets.items():
        parts = {
            "available": totals.available,
            "locked": totals.locked,
            "house": totals.house,
            "external": totals.external,
        }
        parts["sum"] = sum(parts.values())
        scale = state.scales[symbol]
        assets[symbol] = {name: format_amount(amount, scale) for name, amount in parts.items()}
    return {
        "sequence": state.sequence,
        "state_hash": state.state_hash,
        "assets": assets,
        "open_orders": state.open_orders,
    }
