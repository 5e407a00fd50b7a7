"""The exchange as it was after any entry of its journal."""

from collections.abc import Iterable, Iterator
from typing import Any

from engine.amounts import format_amount
from engine.core.answers import answer
from engine.core.engine import Engine
from engine.core.events import OrderState
from engine.core.queries import GetBalances, GetDepth, GetOpenOrders
from engine.core.replies import BalancesReply, DepthReply, OrdersReply
from engine.core.snapshot import state_hash
from engine.publisher.record import ALL_LEVELS
from engine.worker.history import History
from engine.worker.loader import restore_newest
from engine.worker.ports import KeptSnapshot, Records, Stream, Witness
from engine.worker.recovery import Replica


class Until:
    """The records as they were: without the snapshots that came later."""

    def __init__(self, records: Records, *, sequence: int | None, time: int | None) -> None:
        self._records = records
        self._sequence = sequence
        self._time = time
        self.read_archive_after = records.read_archive_after

    def snapshots(self) -> list[KeptSnapshot]:
        return [
            kept
            for kept in self._records.snapshots()
            if not self.is_over(kept.header.sequence, kept.header.time)
        ]

    def witnesses(self) -> Iterator[Witness]:
        return self._records.witnesses()

    def is_over(self, sequence: int, time: int) -> bool:
        return (self._sequence is not None and sequence > self._sequence) or (
            self._time is not None and time > self._time
        )


def replica_at(
    stream: Stream, records: Records, *, sequence: int | None = None, time: int | None = None
) -> Replica:
    """After the entry `sequence`, or the last one that is not later than `time` (milliseconds).

    From the nearest snapshot before, then the archive and the stream. Raises JournalBroken.
    """
    until = Until(records, sequence=sequence, time=time)
    replica, _ = restore_newest(stream, until)
    for entry in History(stream, records).read_after(replica.sequence):
        if until.is_over(entry.sequence, entry.time):
            break
        replica.apply(entry)
    return replica


def describe(replica: Replica) -> dict[str, Any]:
    """Books, balances and open orders. Amounts are decimal strings, times milliseconds."""
    engine = replica.engine
    return {
        "sequence": replica.sequence,
        "time": engine.time,
        "digest": replica.digest,
        "state_hash": state_hash(engine),
        "markets": {market.rules.symbol: _book(engine, market) for market in engine.markets},
        "balances": {
            str(account.number): _balances(engine, account.number) for account in engine.accounts
        },
        "open_orders": [
            _order(engine, order)
            for account in engine.accounts
            for order in _orders(engine, account.number)
        ],
    }


def _scale(engine: Engine, asset: str) -> int:
    return engine.markets.assets[asset].scale


def _scales(engine: Engine, symbol: str) -> tuple[int, int]:
    market = engine.markets.get(symbol)
    assert market is not None
    return _scale(engine, market.base), _scale(engine, market.quote)


def _book(engine: Engine, market: Any) -> dict[str, Any]:
    depth = answer(engine, GetDepth(market.rules.symbol, ALL_LEVELS), 0)
    assert isinstance(depth, DepthReply)
    base, quote = _scales(engine, depth.market)

    def levels(side: Iterable[tuple[int, int]]) -> list[list[str]]:
        return [[format_amount(price, quote), format_amount(qty, base)] for price, qty in side]

    last = depth.last_price
    return {
        "last_price": None if last is None else format_amount(last, quote),
        "last_update_id": depth.number,
        "bids": levels(depth.bids),
        "asks": levels(depth.asks),
    }


def _balances(engine: Engine, account: int) -> dict[str, Any]:
    reply = answer(engine, GetBalances(account), 0)
    assert isinstance(reply, BalancesReply)
    return {
        asset: {
            "available": format_amount(available, _scale(engine, asset)),
            "locked": format_amount(locked, _scale(engine, asset)),
        }
        for asset, available, locked in reply.balances
    }


def _orders(engine: Engine, account: int) -> tuple[OrderState, ...]:
    reply = answer(engine, GetOpenOrders(account), 0)
    assert isinstance(reply, OrdersReply)
    return reply.orders


def _order(engine: Engine, order: OrderState) -> dict[str, Any]:
    terms = order.terms
    base, quote = _scales(engine, terms.market)
    return {
        "order_id": order.order_id,
        "account": terms.account,
        "symbol": terms.market,
        "side": terms.side.value,
        "type": terms.type.value,
        "time_in_force": terms.time_in_force.value,
        "price": None if terms.price is None else format_amount(terms.price, quote),
        "quantity": None if terms.quantity is None else format_amount(terms.quantity, base),
        "executed_quantity": format_amount(order.executed_quantity, base),
        "executed_quote_quantity": format_amount(order.executed_quote_quantity, quote),
        "status": order.status.value,
        "client_order_id": terms.client_order_id,
        "created_at": order.created_at,
        "updated_at": order.updated_at,
    }
