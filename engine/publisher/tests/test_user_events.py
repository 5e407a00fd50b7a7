"""What an account is told of each kind of event, in Binance's words."""

from random import Random
from typing import Any

import pytest

from engine.core.commands import (
    AmendOrder,
    OrderTerms,
    PlaceOrder,
    PlaceOrderList,
    ReleaseWithdrawal,
    ReserveWithdrawal,
    SetPhase,
    SettleWithdrawal,
    Transfer,
)
from engine.core.tests.exchange import ALICE, BOB, LATE, MARKET
from engine.core.types import (
    GTC,
    IOC,
    LIMIT,
    SELL,
    STOP_LOSS,
    OrderType,
    Phase,
    SelfTradePrevention,
)
from engine.publisher.feeds import Feeds
from engine.publisher.tests.journal import Follower, JournalledExchange, entries_of, take_frames

NOW = 1_760_000_000_050


@pytest.fixture
def exchange() -> JournalledExchange:
    """The last price is 100."""
    exchange = JournalledExchange()
    for account in (ALICE, BOB):
        exchange.fund(account, ABC=1_000, USD=1_000_000)
    exchange.sell(ALICE, 100, 1)
    exchange.buy(BOB, 100, 1)
    return exchange


def told(exchange: JournalledExchange, account: int = ALICE) -> list[Any]:
    """Everything, without a gap in its numbers."""
    feeds, follower = Feeds(), Follower()
    for entry in entries_of(exchange, Random(1)):
        feeds.apply(entry)
    for frame in take_frames(feeds, NOW, frozenset()):
        follower.take(frame)
    return follower.texts[f"user-{account}"]


def reports(exchange: JournalledExchange, order_id: int, account: int = ALICE) -> list[Any]:
    return [e for e in told(exchange, account) if e.get("i") == order_id]


def test_a_stop_is_told_of_when_it_is_placed_and_when_it_works(
    exchange: JournalledExchange,
) -> None:
    terms = OrderTerms(
        account=ALICE, market=MARKET, side=SELL, type=STOP_LOSS, time_in_force=IOC, price=None,
        quantity=3, stop_price=90, trailing_delta=500,
    )  # fmt: skip
    exchange.do(PlaceOrder(terms, LATE))
    exchange.buy(BOB, 80, 10)
    exchange.sell(BOB, 80, 1)
    placed, *rest = reports(exchange, 3)
    assert (placed["x"], placed["o"], placed["P"]) == ("NEW", "STOP_LOSS", "90.00000000")
    assert (placed["w"], placed["d"], "W" in placed) == (False, 500, False)
    assert rest == []  # reached 90, and is now tracked
    exchange.buy(BOB, 95, 1)
    exchange.sell(BOB, 95, 1)
    exchange.sell(BOB, 80, 1)
    _, triggered, traded = reports(exchange, 3)
    assert (triggered["x"], triggered["X"], triggered["w"]) == ("NEW", "NEW", True)
    assert triggered["W"] == 1_000
    assert (traded["x"], traded["X"], traded["l"]) == ("TRADE", "FILLED", "3.00000000")


def test_an_iceberg_an_amendment_and_the_end(exchange: JournalledExchange) -> None:
    exchange.buy(ALICE, 50, 5, visible_quantity=2, client_order_id="mine")
    exchange.do(AmendOrder(ALICE, MARKET, LATE, order_id=3, quantity=4))
    exchange.cancel(ALICE, order_id=3)
    new, amended, canceled = reports(exchange, 3)
    assert (new["x"], new["F"], new["g"]) == ("NEW", "2.00000000", -1)
    assert (amended["x"], amended["X"], amended["q"]) == ("REPLACED", "NEW", "4.00000000")
    assert (canceled["x"], canceled["X"], canceled["C"]) == ("CANCELED", "CANCELED", "mine")
    assert [r["w"] for r in (new, amended, canceled)] == [True, True, False]


@pytest.mark.parametrize(
    ("mode", "maker", "taker"),
    [
        ("expire_maker", ("TRADE_PREVENTION", "EXPIRED_IN_MATCH"), ("NEW", "NEW")),
        ("expire_taker", ("NEW", "NEW"), ("TRADE_PREVENTION", "EXPIRED_IN_MATCH")),
        ("decrement", ("TRADE_PREVENTION", "NEW"), ("TRADE_PREVENTION", "EXPIRED_IN_MATCH")),
    ],
)
def test_what_self_trade_prevention_took(
    exchange: JournalledExchange, mode: str, maker: tuple[str, str], taker: tuple[str, str]
) -> None:
    prevention = SelfTradePrevention(mode)
    exchange.sell(ALICE, 110, 5)
    exchange.buy(ALICE, 110, 3, self_trade_prevention=prevention)
    standing, arriving = reports(exchange, 3)[-1], reports(exchange, 4)[-1]
    assert (standing["x"], standing["X"]) == maker
    assert (arriving["x"], arriving["X"]) == taker
    assert (arriving["V"], standing["V"]) == (mode.upper(), "NONE")
    prevented = [r for r in (standing, arriving) if r["x"] == "TRADE_PREVENTION"]
    assert {r["A"] for r in prevented} <= {"3.00000000", "5.00000000"}


def test_a_list_of_orders(exchange: JournalledExchange) -> None:
    def leg(kind: OrderType, name: str, **terms: Any) -> OrderTerms:
        return OrderTerms(
            account=ALICE,
            market=MARKET,
            side=SELL,
            type=kind,
            quantity=1,
            client_order_id=name,
            **terms,
        )

    above = leg(LIMIT, "above", price=120, time_in_force=GTC, post_only=True)
    below = leg(STOP_LOSS, "below", price=None, time_in_force=IOC, stop_price=80)
    exchange.do(PlaceOrderList((above, below), LATE, client_list_id="both"))
    exchange.buy(BOB, 120, 1)
    started, done = [e for e in told(exchange) if e["e"] == "listStatus"]
    legs = [{"s": MARKET, "i": 3, "c": "above"}, {"s": MARKET, "i": 4, "c": "below"}]
    number = started["number"]
    assert started == {
        "e": "listStatus", "E": NOW, "s": MARKET, "g": 1, "c": "OCO", "l": "EXEC_STARTED",
        "L": "EXECUTING", "r": "NONE", "C": "both", "T": 1_000, "O": legs, "number": number,
    }  # fmt: skip
    assert (done["l"], done["L"], done["O"]) == ("ALL_DONE", "ALL_DONE", legs)
    assert [r["g"] for r in reports(exchange, 3)] == [1, 1]
    assert [r["x"] for r in reports(exchange, 3)] == ["NEW", "TRADE"]
    assert [r["x"] for r in reports(exchange, 4)] == ["NEW", "EXPIRED"]


def test_money_that_moves(exchange: JournalledExchange) -> None:
    before = len(told(exchange))
    exchange.do(Transfer(ALICE, BOB, "USD", 30, "gift"))
    exchange.do(ReserveWithdrawal(ALICE, "USD", 20, "out"))
    exchange.do(SettleWithdrawal(ALICE, 1))
    exchange.do(ReserveWithdrawal(ALICE, "USD", 10, "stays"))
    exchange.do(ReleaseWithdrawal(ALICE, 2))
    moved = [e for e in told(exchange)[before:] if "d" in e]
    assert [(e["e"], e["a"], e["d"]) for e in moved] == [
        ("balanceUpdate", "USD", "-30.00000000"),
        ("externalLockUpdate", "USD", "20.00000000"),
        ("balanceUpdate", "USD", "-20.00000000"),
        ("externalLockUpdate", "USD", "10.00000000"),
        ("externalLockUpdate", "USD", "-10.00000000"),
    ]
    assert [e["d"] for e in told(exchange, BOB) if "d" in e][-1] == "30.00000000"


def test_the_feed_knows_the_phase(exchange: JournalledExchange) -> None:
    exchange.do(SetPhase(MARKET, Phase.HALTED))
    feeds = Feeds()
    for entry in entries_of(exchange, Random(1)):
        feeds.apply(entry)
    market = feeds.markets[MARKET]
    assert market.phase is Phase.HALTED
    assert market.state().phase is Phase.HALTED
