"""Where two rules meet: each of these was once decided wrongly."""

from msgspec.structs import replace

from engine.core.commands import AmendOrder, CancelAll, CancelOrderList, PlaceOrderList, SetPhase
from engine.core.events import OrderUpdated, PhaseChanged
from engine.core.liquidity import MAX_FILLS
from engine.core.rejections import Code
from engine.core.replies import CanceledReply, OrderListReply
from engine.core.snapshot import encode_snapshot, take_snapshot
from engine.core.tests.exchange import (
    ALICE,
    BOB,
    CAROL,
    LATE,
    MARKET,
    RULES,
    Exchange,
    assert_sound,
    code_of,
    fills_of,
    order_of,
    order_terms,
)
from engine.core.types import (
    EXPIRED,
    HALTED,
    IOC,
    OPEN,
    PARTIALLY_FILLED,
    POST_ONLY,
    PRE_OPEN,
    SELL,
    STOP_LOSS,
    STOP_LOSS_LIMIT,
)
from engine.core.types import (
    MARKET as BY_MARKET,
)


def funded(**rules: int) -> Exchange:
    exchange = Exchange(**rules)
    for account in (ALICE, BOB, CAROL):
        exchange.fund(account, ABC=10**6, USD=10**9)
    return exchange


def trade(exchange: Exchange, price: int) -> None:
    exchange.sell(BOB, price, 1)
    exchange.buy(CAROL, price, 1)


def one_cancels_the_other(exchange: Exchange, name: str | None = None) -> OrderListReply:
    """Alice sells 5 at 120, or where the price falls to 90."""
    stop = order_terms(ALICE, SELL, None, 5, type=STOP_LOSS, stop_price=90, time_in_force=IOC)
    legs = (order_terms(ALICE, SELL, 120, 5, post_only=True), stop)
    reply = exchange.do(PlaceOrderList(legs, LATE, name))
    assert isinstance(reply, OrderListReply)
    return reply


def test_a_triggered_order_is_amended_like_any_other() -> None:
    exchange = funded()
    trade(exchange, 100)
    stop = exchange.buy(ALICE, 90, 1, type=STOP_LOSS_LIMIT, stop_price=110)
    trade(exchange, 110)  # it stands at 90 now
    exchange.sell(BOB, 120, 5)
    exchange.do(SetPhase(MARKET, POST_ONLY))
    amend = AmendOrder(ALICE, MARKET, LATE, order_of(stop).order.order_id, price=125)
    assert code_of(exchange.do(amend)) is Code.WOULD_TAKE
    assert_sound(exchange.engine)


def test_what_lies_beyond_the_protection_price_is_no_book() -> None:
    exchange = funded()
    exchange.sell(ALICE, 100, 1)
    exchange.sell(ALICE, 1_000, 1)
    terms = {"type": BY_MARKET, "time_in_force": IOC, "quote_quantity": 250}
    bought = order_of(exchange.buy(BOB, 100, None, **terms))
    assert (bought.order.status, fills_of(bought)) == (EXPIRED, [(100, 1)])
    nothing = order_of(exchange.buy(BOB, 100, None, **terms))
    assert (nothing.order.status, nothing.fills) == (EXPIRED, ())


def test_an_order_that_empties_the_book_with_its_last_fill_stands() -> None:
    exchange = funded()
    for _ in range(MAX_FILLS):
        exchange.sell(ALICE, 100, 1)
    bought = order_of(exchange.buy(BOB, 100, MAX_FILLS + 1))
    assert bought.order.status is PARTIALLY_FILLED
    assert exchange.depth() == {"bids": [(100, 1)], "asks": []}


def test_a_list_is_cancelled_by_an_id_that_it_has() -> None:
    exchange = funded()
    trade(exchange, 100)
    unnamed = one_cancels_the_other(exchange)
    named = one_cancels_the_other(exchange, "mine")
    for wrong in (
        CancelOrderList(ALICE, MARKET),
        CancelOrderList(ALICE, MARKET, named.list_id, "other"),
        CancelOrderList(ALICE, MARKET, unnamed.list_id, "mine"),
    ):
        assert code_of(exchange.do(wrong)) is Code.UNKNOWN_ORDER_LIST
    reply = exchange.do(CancelOrderList(ALICE, MARKET, named.list_id, "mine"))
    assert isinstance(reply, OrderListReply)


def test_cancel_all_tells_of_both_legs() -> None:
    exchange = funded()
    trade(exchange, 100)
    for _ in range(999):
        exchange.sell(ALICE, 130, 1)
    one_cancels_the_other(exchange)
    exchange.events.clear()
    reply = exchange.do(CancelAll(ALICE, MARKET))
    assert isinstance(reply, CanceledReply)
    assert (len(reply.orders), reply.more) == (1_001, 0)
    assert len(exchange.of_kind(OrderUpdated)) == 1_001


def test_a_halt_only_delays_what_was_to_be_cancelled() -> None:
    exchange = funded()
    for _ in range(1_500):
        exchange.sell(ALICE, 130, 1)
    exchange.do(CancelAll(ALICE, MARKET))
    exchange.do(SetPhase(MARKET, HALTED))
    exchange.wait_until(1_001)
    assert exchange.depth()["asks"] == [(130, 500)]
    assert exchange.engine.next_deadline() is None, "nothing can be done yet"
    exchange.do(SetPhase(MARKET, OPEN))
    exchange.wait_until(1_002)
    assert exchange.depth()["asks"] == []


def test_nobody_lives_on_rebates() -> None:
    exchange = funded(maker_fee_ppm=-500, taker_fee_ppm=500)
    exchange.do(SetPhase(MARKET, PRE_OPEN))
    exchange.sell(ALICE, 100, 10_000)
    exchange.buy(BOB, 100, 10_000)
    exchange.do(SetPhase(MARKET, OPEN))  # an auction has two makers
    assert exchange.engine.accounts.house == {"ABC": 0, "USD": 0}
    exchange.sell(ALICE, 100, 10_000)
    exchange.buy(ALICE, 100, 10_000)  # with herself
    assert exchange.engine.accounts.house == {"ABC": 5, "USD": 0}
    exchange.sell(ALICE, 100, 10_000)
    exchange.buy(BOB, 100, 10_000)
    assert exchange.engine.accounts.house == {"ABC": 10, "USD": -500}
    assert_sound(exchange.engine)


def test_a_guard_compares_with_the_last_price_from_the_start() -> None:
    exchange = funded()
    trade(exchange, 100)
    exchange.do(replace(RULES, guard_ppm=10_000))
    exchange.sell(BOB, 900, 1)
    stopped = order_of(exchange.buy(CAROL, 900, 1))
    assert stopped.fills == ()
    assert exchange.of_kind(PhaseChanged)[-1].phase is PRE_OPEN


def test_a_snapshot_stays_as_it_was_taken() -> None:
    exchange = funded(guard_ppm=500_000)
    trade(exchange, 100)
    snapshot = take_snapshot(exchange.engine)
    before = encode_snapshot(snapshot)
    exchange.wait_until(1_500)
    trade(exchange, 101)
    assert encode_snapshot(snapshot) == before


def test_a_market_buy_is_valued_by_the_trades_that_it_can_have() -> None:
    exchange = Exchange()
    exchange.fund(ALICE, ABC=10**6)
    exchange.fund(BOB, USD=MAX_FILLS)
    for _ in range(MAX_FILLS + 1):
        exchange.sell(ALICE, 1, 1)
    bought = order_of(exchange.buy(BOB, None, MAX_FILLS + 1))
    assert (bought.order.status, len(bought.fills)) == (EXPIRED, MAX_FILLS)
