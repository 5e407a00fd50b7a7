"""The demo's market maker: one long-running part of an exchange with DEMO=1."""

import signal
from threading import Event
from types import FrameType
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection

from accounts.models import User
from accounts.onramp import OnrampRefused
from accounts.trading_accounts import orders_unlimit
from engine.client import EngineUnavailable, StatusUnknown
from exchange_site.errors import CodedError
from markets.market_maker.api import Api, Unsure
from markets.market_maker.maker import MarketMaker
from markets.market_maker.parameters import Parameters, Rules
from markets.market_maker.users import MAKER, TAKER, obtain_keys, top_up
from markets.selectors import list_markets

WAIT_S: Final = 0.5


class Command(BaseCommand):
    help = "Keeps the demo's markets liquid around a random walk, as a user of the API."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        stop = Event()

        def request_stop(_signal: int, _frame: FrameType | None) -> None:
            stop.set()

        signal.signal(signal.SIGTERM, request_stop)
        signal.signal(signal.SIGINT, request_stop)
        parameters = Parameters.from_settings(settings.MARKET_MAKER)

        # 1. The markets: on a new exchange they are made while this starts.
        rules = _rules(parameters)
        while rules is None:
            if stop.wait(WAIT_S):
                return
            rules = _rules(parameters)

        # 2. Two users and their keys, made by the first start.
        keys = obtain_keys(settings.HOME.path / "market-maker.json")
        while not _lift_limits():
            if stop.wait(WAIT_S):
                return
        connection.close()

        # 3. Quote, until told to stop. What stands is cancelled by the next start.
        api = Api(parameters.url)
        MarketMaker(parameters, api, keys, rules, _top_up).run(stop)
        api.close()


def _lift_limits() -> bool:
    """Of both users' open orders; False while the engine or the tables do not answer."""
    try:
        for user in User.objects.filter(username__in=(MAKER, TAKER)):
            orders_unlimit(account=user.pk)
    except (CodedError, EngineUnavailable, StatusUnknown):
        return False
    return True


def _rules(parameters: Parameters) -> dict[str, Rules] | None:
    """By symbol; None while a market is missing."""
    known = {
        m.symbol: Rules(m.symbol, m.tick, m.step, m.min_notional)
        for m in list_markets()
        if m.symbol in parameters.markets
    }
    return known if len(known) == len(parameters.markets) else None


def _top_up(username: str, balances: dict[str, Any]) -> None:
    try:
        top_up(username, balances)
    except (CodedError, OnrampRefused, EngineUnavailable, StatusUnknown) as error:
        raise Unsure(f"funding {username}: {error}") from error
    finally:
        connection.close()
