"""Every way to be refused, each with its code; and a refusal changes nothing."""

from collections.abc import Callable

import msgspec
import pytest

from engine.core.commands import (
    DefineAsset,
    DefineMarket,
    Deposit,
    Malformed,
    OrderTerms,
    PlaceOrder,
    Poison,
)
from engine.core.events import Rejected
from engine.core.rejections import Code
from engine.core.replies import Reply
from engine.core.snapshot import state_hash
from engine.core.tests.exchange import ALICE, BOB, CAROL, RULES, Exchange, code_of
from engine.core.types import BUY, FOK, GTC, GTD, IOC, LIMIT

MAX = 2**63 - 1


def changed(**rules: object) -> DefineMarket:
    return msgspec.structs.replace(RULES, **rules)


LIMIT_WITHOUT_PRICE = PlaceOrder(OrderTerms(BOB, "ABCUSD", BUY, LIMIT, GTC, None, 4), 2_000)

STRICT: dict[str, object] = {
    "tick": 5, "step": 2, "min_quantity": 4, "max_quantity": 1_000, "min_notional": 300,
    "band_down_ppm": 500_000, "band_up_ppm": 2_000_000,
}  # fmt: skip

Attempt = Callable[[Exchange], Reply]

# The exchange: tick 5, step 2, quantity 4 to 1000, notional from 300, band 0.5 to 2 of the last
# price 100; Alice asks 100 for 10 "standing"; Bob owns 5,000 USD and 50 ABC.
TABLE: list[tuple[str, Attempt, Code]] = [
    ("malformed", lambda x: x.do(Malformed(3, "ab")), Code.MALFORMED),
    ("poison", lambda x: x.do(Poison(3, "ab")), Code.POISON),
    ("late", lambda x: x.buy(BOB, 90, 4, expires_at=999), Code.EXPIRED),
    ("key of another order", lambda x: x.buy(BOB, 90, 6, key="used"), Code.KEY_REUSED),
    ("key of another deposit", lambda x: x.do(Deposit(BOB, "USD", 6, "used")), Code.KEY_REUSED),
    ("tick under orders", lambda x: x.do(changed(**STRICT | {"tick": 10})), Code.INVALID_MARKET),
    ("step under orders", lambda x: x.do(changed(**STRICT | {"step": 1})), Code.INVALID_MARKET),
    ("rebate above the fee", lambda x: x.do(changed(**STRICT | {"maker_fee_ppm": -1})), Code.INVALID_MARKET),
    ("quote above the maximum", lambda x: x.buy(BOB, None, None, quote_quantity=100_001), Code.QUANTITY_TOO_LARGE),
    ("deposit of nothing known", lambda x: x.do(Deposit(BOB, "XYZ", 1, "k")), Code.UNKNOWN_ASSET),
    ("market of nothing known", lambda x: x.do(changed(quote="XYZ")), Code.UNKNOWN_ASSET),
    ("no such market", lambda x: x.buy(BOB, 90, 4, market="ABCXYZ"), Code.UNKNOWN_MARKET),
    ("cancel nothing", lambda x: x.cancel(BOB, order_id=99), Code.UNKNOWN_ORDER),
    ("cancel another's", lambda x: x.cancel(BOB, client_order_id="standing"), Code.UNKNOWN_ORDER),
    ("cancel without an id", lambda x: x.cancel(ALICE), Code.UNKNOWN_ORDER),
    ("cancel, ids differ", lambda x: x.cancel(ALICE, order_id=3, client_order_id="x"), Code.UNKNOWN_ORDER),
    ("asset in lower case", lambda x: x.do(DefineAsset("abc", 2)), Code.INVALID_ASSET),
    ("asset without a name", lambda x: x.do(DefineAsset("", 2)), Code.INVALID_ASSET),
    ("asset in Greek", lambda x: x.do(DefineAsset("ΑΒΓ", 2)), Code.INVALID_ASSET),
    ("scale 9", lambda x: x.do(DefineAsset("NEW", 9)), Code.INVALID_ASSET),
    ("scale -1", lambda x: x.do(DefineAsset("NEW", -1)), Code.INVALID_ASSET),
    ("another scale", lambda x: x.do(DefineAsset("ABC", 1)), Code.INVALID_ASSET),
    ("market in lower case", lambda x: x.do(changed(symbol="abcusd")), Code.INVALID_MARKET),
    ("other assets", lambda x: x.do(changed(base="USD", quote="ABC")), Code.INVALID_MARKET),
    ("with itself", lambda x: x.do(changed(symbol="M", quote="ABC")), Code.INVALID_MARKET),
    ("tick 0", lambda x: x.do(changed(tick=0)), Code.INVALID_MARKET),
    ("step 0", lambda x: x.do(changed(step=0)), Code.INVALID_MARKET),
    ("minimum above maximum", lambda x: x.do(changed(min_quantity=10**13)), Code.INVALID_MARKET),
    ("minimum below step", lambda x: x.do(changed(step=2)), Code.INVALID_MARKET),
    ("negative notional", lambda x: x.do(changed(min_notional=-1)), Code.INVALID_MARKET),
    ("band above the price", lambda x: x.do(changed(band_down_ppm=1_000_001)), Code.INVALID_MARKET),
    ("fee of 100 %", lambda x: x.do(changed(taker_fee_ppm=1_000_000)), Code.INVALID_MARKET),
    ("account 0", lambda x: x.do(Deposit(0, "USD", 1, "k")), Code.INVALID_ACCOUNT),
    ("second of a name", lambda x: x.sell(ALICE, 105, 4, client_order_id="standing"), Code.DUPLICATE_CLIENT_ORDER_ID),
    ("limit without price", lambda x: x.do(LIMIT_WITHOUT_PRICE), Code.INVALID_ORDER),
    ("limit without quantity", lambda x: x.buy(BOB, 90, None), Code.INVALID_ORDER),
    ("limit by quote", lambda x: x.buy(BOB, 90, 4, quote_quantity=360), Code.INVALID_ORDER),
    ("post-only ioc", lambda x: x.buy(BOB, 90, 4, post_only=True, time_in_force=IOC), Code.INVALID_ORDER),
    ("market, no amount", lambda x: x.buy(BOB, None, None), Code.INVALID_ORDER),
    ("market, two amounts", lambda x: x.buy(BOB, None, 4, quote_quantity=400), Code.INVALID_ORDER),
    ("market, post-only", lambda x: x.buy(BOB, None, 4, post_only=True), Code.INVALID_ORDER),
    ("market, gtd", lambda x: x.buy(BOB, None, 4, time_in_force=GTD, good_till=2_000), Code.INVALID_ORDER),
    ("market sell by quote", lambda x: x.sell(BOB, None, None, quote_quantity=400), Code.INVALID_ORDER),
    ("quote, fok", lambda x: x.buy(BOB, None, None, quote_quantity=400, time_in_force=FOK), Code.INVALID_ORDER),
    ("gtd without date", lambda x: x.buy(BOB, 90, 4, time_in_force=GTD), Code.INVALID_ORDER),
    ("gtd in the past", lambda x: x.buy(BOB, 90, 4, time_in_force=GTD, good_till=1_000), Code.INVALID_ORDER),
    ("date without gtd", lambda x: x.buy(BOB, 90, 4, good_till=2_000), Code.INVALID_ORDER),
    ("price 0", lambda x: x.buy(BOB, 0, 4), Code.AMOUNT_OUT_OF_RANGE),
    ("price negative", lambda x: x.buy(BOB, -5, 4), Code.AMOUNT_OUT_OF_RANGE),
    ("price 2^63", lambda x: x.buy(BOB, MAX + 1, 4), Code.AMOUNT_OUT_OF_RANGE),
    ("quantity negative", lambda x: x.buy(BOB, 90, -4), Code.AMOUNT_OUT_OF_RANGE),
    ("quantity 2^63", lambda x: x.buy(BOB, 90, MAX + 1), Code.AMOUNT_OUT_OF_RANGE),
    ("quote 2^63", lambda x: x.buy(BOB, None, None, quote_quantity=MAX + 1), Code.AMOUNT_OUT_OF_RANGE),
    ("deposit 0", lambda x: x.do(Deposit(BOB, "USD", 0, "k")), Code.AMOUNT_OUT_OF_RANGE),
    ("deposit negative", lambda x: x.do(Deposit(BOB, "USD", -1, "k")), Code.AMOUNT_OUT_OF_RANGE),
    ("supply 2^63", lambda x: x.do(Deposit(BOB, "USD", MAX - 4_999, "k")), Code.AMOUNT_OUT_OF_RANGE),
    ("off tick", lambda x: x.buy(BOB, 91, 4), Code.PRICE_OFF_TICK),
    ("off step", lambda x: x.buy(BOB, 90, 5), Code.QUANTITY_OFF_STEP),
    ("dust", lambda x: x.buy(BOB, 90, 2), Code.QUANTITY_TOO_SMALL),
    ("market buy of dust", lambda x: x.buy(BOB, None, None, quote_quantity=399), Code.QUANTITY_TOO_SMALL),
    ("too much", lambda x: x.buy(BOB, 90, 1_002), Code.QUANTITY_TOO_LARGE),
    ("worth too little", lambda x: x.buy(BOB, 55, 4), Code.NOTIONAL_TOO_SMALL),
    ("too cheap", lambda x: x.buy(BOB, 45, 10), Code.PRICE_OUT_OF_BAND),
    ("too dear", lambda x: x.sell(BOB, 205, 4), Code.PRICE_OUT_OF_BAND),
    ("post-only taker", lambda x: x.buy(BOB, 100, 4, post_only=True), Code.WOULD_TAKE),
    ("not enough quote", lambda x: x.buy(BOB, 90, 56), Code.INSUFFICIENT_BALANCE),
    ("not enough base", lambda x: x.sell(BOB, 110, 52), Code.INSUFFICIENT_BALANCE),
    ("market buy too dear", lambda x: x.buy(CAROL, None, 4), Code.INSUFFICIENT_BALANCE),
    ("market sell too much", lambda x: x.sell(BOB, None, 52), Code.INSUFFICIENT_BALANCE),
    ("quote too dear", lambda x: x.buy(BOB, None, None, quote_quantity=5_001), Code.INSUFFICIENT_BALANCE),
    ("nobody's account", lambda x: x.buy(77, 90, 4), Code.INSUFFICIENT_BALANCE),
]  # fmt: skip


@pytest.fixture
def exchange() -> Exchange:
    exchange = Exchange()
    exchange.fund(ALICE, ABC=100)
    exchange.fund(CAROL, USD=400)
    exchange.sell(ALICE, 100, 10, client_order_id="standing")
    exchange.buy(CAROL, 100, 1)
    exchange.do(Deposit(BOB, "USD", 5_000 - 400, "used"))
    exchange.fund(BOB, ABC=50)
    exchange.buy(BOB, 1, 10_000_000, key="used")
    exchange.cancel(ALICE, client_order_id="standing")
    exchange.do(changed(**STRICT))
    exchange.sell(ALICE, 100, 10, client_order_id="standing")
    return exchange


@pytest.mark.parametrize(("attempt", "code"), [row[1:] for row in TABLE], ids=[r[0] for r in TABLE])
def test_refused(exchange: Exchange, attempt: Attempt, code: Code) -> None:
    before, seen = state_hash(exchange.engine), len(exchange.events)
    assert code_of(attempt(exchange)) is code
    assert [type(event) for event in exchange.events[seen:]] == [Rejected]
    assert state_hash(exchange.engine) == before


def test_every_code_is_reached() -> None:
    assert {code for _, _, code in TABLE} == set(Code)
