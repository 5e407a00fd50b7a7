"""A key answers with its first reply, for a day."""

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
    idempotency = Idempotency(keep_count=2)
    for key in ("a", "b", "c"):
        idempotency.remember(ALICE, key, key, Done(), 1)
    assert len(idempotency) == 2
    assert idempotency.recall(ALICE, "a", "a") is None
    assert idempotency.recall(ALICE, "c", "c") == Done()


def test_keys_survive_a_snapshot() -> None:
    exchange = Exchange()
    exchange.fund(BOB, USD=1_000)
    first = exchange.buy(BOB, 100, 2, key="k")
    exchange.engine = restored(exchange.engine)
    assert exchange.buy(BOB, 100, 2, key="k") == first
