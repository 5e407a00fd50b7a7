"""A key answers with its first reply, for a day."""

from engine.core.commands import Deposit
from engine.core.idempotency import KEEP_MS, Idempotency
from engine.core.rejections import Code
from engine.core.replies import Done
from engine.core.tests.exchange import ALICE, BOB, Exchange, code_of, order_of, restored


def test_the_same_order_is_placed_once() -> None:
    exchange = Exchange()
    exchange.fund(BOB, USD=1_000)
    first = exchange.buy(BOB, 100, 2, key="k")
    exchange.wait_until(5_000)
    seen = len(exchange.events)
    assert exchange.buy(BOB, 100, 2, key="k") == first
    assert exchange.events[seen:] == []
    assert exchange.depth()["bids"] == [(100, 2)]


def test_a_refusal_is_a_first_reply_too() -> None:
    exchange = Exchange()
    exchange.fund(BOB, USD=100)
    assert code_of(exchange.buy(BOB, 100, 2, key="k")) is Code.INSUFFICIENT_BALANCE
    exchange.fund(BOB, USD=1_000)
    assert code_of(exchange.buy(BOB, 100, 2, key="k")) is Code.INSUFFICIENT_BALANCE


def test_a_late_order_stays_late() -> None:
    exchange = Exchange()
    exchange.fund(BOB, USD=1_000)
    assert code_of(exchange.buy(BOB, 100, 2, key="k", expires_at=1)) is Code.EXPIRED
    assert code_of(exchange.buy(BOB, 100, 2, key="k")) is Code.EXPIRED


def test_keys_belong_to_accounts() -> None:
    exchange = Exchange()
    exchange.fund(ALICE, USD=1_000)
    exchange.fund(BOB, USD=1_000)
    first = order_of(exchange.buy(ALICE, 100, 2, key="k")).order
    second = order_of(exchange.buy(BOB, 100, 2, key="k")).order
    assert first.order_id != second.order_id


def test_keys_are_forgotten_after_a_day() -> None:
    exchange = Exchange()
    exchange.fund(BOB, USD=1_000)
    first = order_of(exchange.buy(BOB, 100, 2, key="k")).order
    exchange.wait_until(1_000 + KEEP_MS - 1)
    assert order_of(exchange.buy(BOB, 100, 2, key="k")).order == first
    exchange.wait_until(1_000 + KEEP_MS)
    assert order_of(exchange.buy(BOB, 100, 2, key="k")).order != first


def test_the_oldest_key_makes_room_for_the_newest() -> None:
    store = Idempotency(keep_count=2)
    for time, key in enumerate(("a", "b", "c")):
        store.remember(ALICE, key, key, Done(), time)
    assert len(store) == 2
    assert store.recall(ALICE, "a", "a", 3) is None
    assert store.recall(ALICE, "c", "c", 3) == Done()


def test_old_keys_are_swept_out_by_new_ones() -> None:
    store = Idempotency()
    for number in range(100):
        store.remember(ALICE, f"old-{number}", "x", Done(), 0)
    for number in range(40):
        store.remember(ALICE, f"new-{number}", "x", Done(), KEEP_MS)
    assert len(store) == 40


def test_a_key_that_is_used_anew_after_a_day_answers_anew() -> None:
    store = Idempotency()
    store.remember(ALICE, "k", "first", Done(), 0)
    assert store.recall(ALICE, "k", "second", KEEP_MS) is None
    store.remember(ALICE, "k", "second", Done(), KEEP_MS)
    for number in range(10):
        store.remember(ALICE, f"{number}", "x", Done(), KEEP_MS + 1)
    assert store.recall(ALICE, "k", "second", KEEP_MS + 2) == Done()


def test_a_flood_of_orders_does_not_make_a_deposit_count_twice() -> None:
    exchange = Exchange()
    exchange.engine.order_keys = Idempotency(keep_count=5)
    exchange.do(Deposit(BOB, "USD", 50, "onramp-1"))
    for number in range(50):
        exchange.buy(BOB, 100, 1_000, key=f"{number}")
    exchange.do(Deposit(BOB, "USD", 50, "onramp-1"))
    assert exchange.balance(BOB, "USD") == (50, 0)


def test_keys_survive_a_snapshot() -> None:
    exchange = Exchange()
    exchange.fund(BOB, USD=1_000)
    first = exchange.buy(BOB, 100, 2, key="k")
    exchange.engine = restored(exchange.engine)
    assert exchange.buy(BOB, 100, 2, key="k") == first
