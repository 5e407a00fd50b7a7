"""The engine behind the interface of tracebook-conformance, which compares matching engines.

https://github.com/Taz33m/tracebook: an owner is an account with funds for everything; decimal
prices and quantities become units of 10^-8. Orders go by the suite's ids as client order ids.
"""

from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from tracebook.conformance import (
    BookSnapshot,
    BookState,
    ConformanceConfig,
    EngineMetadata,
    Observation,
    Outcome,
    RestingOrder,
    TradeFill,
    canonical_decimal,
)
from tracebook.core.order import NO_OWNER, OrderSide, OrderType, SelfTradePolicy
from tracebook.events import MarketEvent

from engine.core.commands import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    Command,
    DefineAsset,
    DefineMarket,
    Deposit,
    OrderTerms,
    PlaceOrder,
    ReplaceOrder,
)
from engine.core.engine import CORE_VERSION, Engine
from engine.core.events import Traded
from engine.core.markets import Market
from engine.core.order import Order
from engine.core.order_book import BookSide
from engine.core.rejections import Code
from engine.core.replies import Refused, ReplaceReply
from engine.core.tests.exchange import LATE
from engine.core.types import (
    BUY,
    EXPIRE_MAKER,
    EXPIRE_TAKER,
    FOK,
    GTC,
    IOC,
    LIMIT,
    MARKET,
    NO_PREVENTION,
    SELL,
    ReplaceMode,
    TimeInForce,
)

UNIT: Final = 10**8
FUNDS: Final = 10**16

MODES: Final = {
    SelfTradePolicy.NONE: NO_PREVENTION,
    SelfTradePolicy.CANCEL_RESTING: EXPIRE_MAKER,
    SelfTradePolicy.CANCEL_INCOMING: EXPIRE_TAKER,
}
LIFETIMES: Final[dict[OrderType, TimeInForce]] = {
    OrderType.LIMIT: GTC,
    OrderType.IOC: IOC,
    OrderType.FOK: FOK,
    OrderType.MARKET: IOC,
}


class EngineAdapter:
    """One exchange for one trace of events."""

    metadata = EngineMetadata("exchange", str(CORE_VERSION), "Python")

    def __init__(self, config: ConformanceConfig) -> None:
        assert config.matching_algorithm == "fifo", "the engine matches by price and time"
        self._config = config
        self._tick = int(Decimal(str(config.tick_size)) * UNIT)
        self._engine = Engine()
        self._engine.advance(1)
        self._names: dict[int, int] = {}
        """The suite's ids, by the engine's."""
        self._trades: list[Traded] = []
        self._markets: dict[str, Market] = {}
        """By the suite's symbols, of which not all are symbols here."""
        self._apply(DefineAsset("QUOTE", 8))

    def apply(self, event: MarketEvent, index: int) -> Observation:
        self._engine.advance(self._engine.time + 1)
        self._trades.clear()
        outcome = self._outcome(event)
        state = self.snapshot()
        trades = tuple(self._fill(trade) for trade in self._trades)
        return Observation(index, outcome, trades, state.digest(), state.order_count)

    def snapshot(self) -> BookState:
        return BookState(
            tuple(
                BookSnapshot(symbol, self._resting(m.book.bids), self._resting(m.book.asks))
                for symbol, m in sorted(self._markets.items())
            )
        )

    def close(self) -> None:
        """Nothing is held."""

    # The operations of the suite

    def _outcome(self, event: MarketEvent) -> Outcome:
        market = self._markets.get(event.symbol)
        if event.op == "clear":
            return self._clear(self._open_market(event.symbol))
        if event.op == "new":
            return self._new(event, self._open_market(event.symbol))
        order = market and self._standing(market, event.order_id)
        if not market or not order:
            return Outcome("rejected", "ORDER_NOT_ACTIVE")
        if event.op == "cancel":
            return self._cancel(order)
        return self._reduce(event, order) if event.op == "reduce" else self._replace(event, order)

    def _new(self, event: MarketEvent, market: Market) -> Outcome:
        if self._standing(market, event.order_id) is not None:
            return Outcome("rejected", "DUPLICATE_ORDER_ID")  # there for each owner; here for all
        account = self._account(event.owner, market)
        is_market = event.order_type is OrderType.MARKET
        terms = OrderTerms(
            account=account,
            market=market.symbol,
            side=BUY if event.side is OrderSide.BUY else SELL,
            type=MARKET if is_market else LIMIT,
            time_in_force=LIFETIMES[event.order_type],
            price=None if is_market else self._price(event.price),
            quantity=_units(event.quantity),
            client_order_id=str(event.order_id),
            self_trade_prevention=(
                NO_PREVENTION if event.owner == NO_OWNER else MODES[self._config.self_trade_policy]
            ),
        )
        self._names[self._engine.orders.last_order_id + 1] = event.order_id or 0
        return self._apply(PlaceOrder(terms, LATE), refused="INVALID_ORDER")

    def _cancel(self, order: Order) -> Outcome:
        terms = order.terms
        return self._apply(CancelOrder(terms.account, terms.market, order.order_id))

    def _reduce(self, event: MarketEvent, order: Order) -> Outcome:
        """By a quantity. All of it is a cancel; less keeps its place in the queue."""
        terms, quantity = order.terms, _units(event.quantity) or 0
        if quantity == order.remaining:
            return self._cancel(order)
        total = (terms.quantity or 0) - quantity
        amend = AmendOrder(terms.account, terms.market, LATE, order.order_id, quantity=total)
        return self._apply(amend, refused="INVALID_ORDER")

    def _replace(self, event: MarketEvent, order: Order) -> Outcome:
        """Cancels the order, and places it anew with what is said: the rest stays as it is.

        The suite leaves the old order alone where the new one is malformed; here cancelling and
        placing are two steps, so the form is looked at first.
        """
        price = order.terms.price if event.price is None else self._price(event.price)
        quantity = order.remaining if event.quantity is None else _units(event.quantity)
        if not (price and quantity and price > 0 and quantity > 0):
            return Outcome("rejected", "INVALID_REPLACEMENT")
        terms = order.terms
        anew = OrderTerms(
            account=terms.account,
            market=terms.market,
            side=terms.side,
            type=LIMIT,
            time_in_force=GTC,
            price=price,
            quantity=quantity,
            client_order_id=terms.client_order_id,
            self_trade_prevention=terms.self_trade_prevention,
        )
        self._names[self._engine.orders.last_order_id + 1] = int(terms.client_order_id or 0)
        replace = ReplaceOrder(anew, ReplaceMode.STOP_ON_FAILURE, LATE, order.order_id)
        return self._apply(replace, refused="INVALID_REPLACEMENT")

    def _clear(self, market: Market) -> Outcome:
        for account in {order.terms.account for order in market.book.orders()}:
            self._apply(CancelAll(account, market.symbol))
        return Outcome("applied")

    def _apply(self, command: Command, refused: str = "") -> Outcome:
        reply, events = self._engine.apply(command)
        self._trades += [event for event in events if isinstance(event, Traded)]
        if isinstance(reply, ReplaceReply):
            assert not isinstance(reply.canceled, Refused)
            reply = reply.placed or reply.canceled
        if isinstance(reply, Refused):
            assert reply.code is not Code.INSUFFICIENT_BALANCE, "everybody can afford everything"
            return Outcome("rejected", refused, reply.detail)
        return Outcome("applied")

    # Names and numbers

    def _open_market(self, name: str) -> Market:
        if name in self._markets:
            return self._markets[name]
        number = len(self._markets)
        self._apply(DefineAsset(f"BASE{number}", 8))
        self._apply(
            DefineMarket(
                symbol=f"MARKET{number}",
                base=f"BASE{number}",
                quote="QUOTE",
                tick=self._tick,
                step=UNIT // self._tick,
                min_quantity=UNIT // self._tick,
                max_quantity=FUNDS,
                min_notional=0,
                band_down_ppm=1,
                band_up_ppm=1_000_000_000,
                maker_fee_ppm=0,
                taker_fee_ppm=0,
            )
        )
        market = self._engine.markets.get(f"MARKET{number}")
        assert market is not None
        self._markets[name] = market
        return market

    def _account(self, owner: int, market: Market) -> int:
        """The owner's account, with more than it will need."""
        account = owner + 2
        for asset in (market.base, market.quote):
            self._apply(Deposit(account, asset, FUNDS, f"{account}-{asset}"))  # once, by its key
        return account

    def _standing(self, market: Market, name: int | None) -> Order | None:
        orders: Iterator[Order] = market.book.orders()
        return next((o for o in orders if o.terms.client_order_id == str(name)), None)

    def _price(self, price: float | None) -> int:
        """On the nearest tick, as the suite has it; the engine itself refuses any other."""
        ticks = Decimal(str(price)) * UNIT / self._tick
        return int(ticks.quantize(Decimal(1), ROUND_HALF_EVEN)) * self._tick

    def _resting(self, side: BookSide) -> tuple[RestingOrder, ...]:
        return tuple(
            RestingOrder(
                int(order.terms.client_order_id or 0),
                _decimal(level.price),
                _decimal(order.remaining),
                order.terms.account - 2,
            )
            for level in side
            for order in level
        )

    def _fill(self, trade: Traded) -> TradeFill:
        symbol = next(name for name, m in self._markets.items() if m.symbol == trade.market)
        buyer, seller = self._names[trade.buy_order_id], self._names[trade.sell_order_id]
        price, quantity = _decimal(trade.price), _decimal(trade.quantity)
        return TradeFill(symbol, buyer, seller, price, quantity)


def _units(quantity: float | None) -> int | None:
    return None if quantity is None else int(Decimal(str(quantity)) * UNIT)


def _decimal(units: int) -> str:
    return canonical_decimal(Decimal(units) / UNIT)
