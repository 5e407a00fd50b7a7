"""Every way to be refused, each with its code; and a refusal changes nothing."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from engine.core.commands import (
    AmendOrder,
    CancelAll,
    CancelAllAfter,
    CancelOrder,
    CancelOrderList,
    ConfigureAccount,
    DefineAsset,
    DefineMarket,
    Deposit,
    LimitNotional,
    Malformed,
    OrderTerms,
    PlaceOrder,
    PlaceOrderList,
    Poison,
    ReleaseWithdrawal,
    ReplaceOrder,
    ReserveWithdrawal,
    SetFees,
    SetPhase,
    SettleWithdrawal,
    Transfer,
)
from engine.core.events import Rejected
from engine.core.rejections import Code
from engine.core.replies import ReplaceReply, Reply
from engine.core.snapshot import state_hash
from engine.core.tests.exchange import (
    ALICE,
    BOB,
    CAROL,
    LATE,
    MARKET,
    RULES,
    Exchange,
    code_of,
    order_terms,
)
from engine.core.types import (
    BUY,
    FOK,
    GTC,
    GTD,
    HALTED,
    IOC,
    LIMIT,
    NEW,
    OPEN,
    PRE_OPEN,
    SELL,
    STOP_LOSS,
    STOP_LOSS_LIMIT,
    TAKE_PROFIT,
    ReplaceMode,
    Side,
)

MAX = 2**63 - 1


def changed(**rules: object) -> DefineMarket:
    return msgspec.structs.replace(RULES, **rules)


LIMIT_WITHOUT_PRICE = PlaceOrder(OrderTerms(BOB, "ABCUSD", BUY, LIMIT, GTC, None, 4), 2_000)

STRICT: dict[str, object] = {
    "tick": 5, "step": 2, "min_quantity": 4, "max_quantity": 1_000, "min_notional": 300,
    "max_notional": 150_000, "band_down_ppm": 500_000, "band_up_ppm": 2_000_000,
    "max_open_orders": 3, "max_conditional_orders": 1,
}  # fmt: skip

DAVE, EVE, FRANK, GRACE, HEIDI, IVAN = 4, 5, 6, 7, 8, 9


def stop(account: int, side: Side, stop_price: int | None, **terms: Any) -> OrderTerms:
    """A stop-loss of 4 without a limit."""
    return order_terms(
        account, side, None, 4, **{"type": STOP_LOSS, "stop_price": stop_price} | terms
    )


def pair(account: int, first: dict[str, Any] = {}, second: dict[str, Any] = {}) -> PlaceOrderList:  # noqa: B006
    """A list to sell 4, at 110 or when the price falls to 90; with changes to either leg."""
    limit = order_terms(account, SELL, 110, 4, post_only=True)
    legs = (
        msgspec.structs.replace(limit, **first),
        msgspec.structs.replace(stop(account, SELL, 90), **second),
    )
    return PlaceOrderList(legs, 2_000)


def canceled(reply: Reply) -> Reply:
    """The first half of the answer to a replacement."""
    assert isinstance(reply, ReplaceReply)
    return reply.canceled


def amend(account: int, order_id: int, **changes: Any) -> AmendOrder:
    return AmendOrder(account, MARKET, changes.pop("expires_at", LATE), order_id, **changes)


Attempt = Callable[[Exchange], Reply]

# The exchange: tick 5, step 2, quantity 4 to 1000, notional from 300, band 0.5 to 2 of the last
# price 100; at most 3 open orders and 1 conditional. Alice asks 100 for 10 "standing"; Bob owns
# 5,000 USD and 50 ABC; Dave has an order (4) and a stop (5); Eve is frozen and has an order (6);
# Frank may have orders for 1,000 and has one for 500 (7); Grace has a list (8 and 9); Heidi has
# 100 withdrawals; Ivan has 3 orders. No trade was ever in QUIET; HALTED is, with an order (10) of Heidi's.
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
    ("cancel only what has not traded", lambda x: x.cancel(ALICE, client_order_id="standing", only=NEW), Code.CANCEL_RESTRICTED),
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
    # what the operator says
    ("account 0 configured", lambda x: x.do(ConfigureAccount(0)), Code.INVALID_ACCOUNT),
    ("limit of nobody", lambda x: x.do(LimitNotional(77, "USD", 1)), Code.INVALID_ACCOUNT),
    ("limit below 0", lambda x: x.do(LimitNotional(BOB, "USD", -1)), Code.INVALID_LIMIT),
    ("limit of no asset", lambda x: x.do(LimitNotional(BOB, "XYZ", 1)), Code.UNKNOWN_ASSET),
    ("fees of tier 0", lambda x: x.do(SetFees(MARKET, 0, 1, 1)), Code.INVALID_FEES),
    ("fees of tier 101", lambda x: x.do(SetFees(MARKET, 101, 1, 1)), Code.INVALID_FEES),
    ("tier's rebate above the fee", lambda x: x.do(SetFees(MARKET, 1, -1, 1)), Code.INVALID_FEES),
    ("account of tier 101", lambda x: x.do(ConfigureAccount(BOB, 101)), Code.INVALID_FEES),
    ("fees of no market", lambda x: x.do(SetFees("NONE", 1, 1, 1)), Code.UNKNOWN_MARKET),
    ("phase of no market", lambda x: x.do(SetPhase("NONE", OPEN)), Code.UNKNOWN_MARKET),
    ("open until", lambda x: x.do(SetPhase(MARKET, OPEN, 2_000)), Code.INVALID_PHASE),
    ("a call until now", lambda x: x.do(SetPhase(MARKET, PRE_OPEN, 1_000)), Code.INVALID_PHASE),
    # funds
    ("transfer to oneself", lambda x: x.do(Transfer(BOB, BOB, "USD", 1, "k")), Code.INVALID_ACCOUNT),
    ("transfer to nobody", lambda x: x.do(Transfer(BOB, 77, "USD", 1, "k")), Code.INVALID_ACCOUNT),
    ("transfer of no asset", lambda x: x.do(Transfer(BOB, ALICE, "XYZ", 1, "k")), Code.UNKNOWN_ASSET),
    ("transfer of nothing", lambda x: x.do(Transfer(BOB, ALICE, "USD", 0, "k")), Code.AMOUNT_OUT_OF_RANGE),
    ("transfer too much", lambda x: x.do(Transfer(BOB, ALICE, "USD", 5_001, "k")), Code.INSUFFICIENT_BALANCE),
    ("transfer from frozen", lambda x: x.do(Transfer(EVE, ALICE, "USD", 1, "k")), Code.ACCOUNT_FROZEN),
    ("key of a deposit", lambda x: x.do(Transfer(BOB, ALICE, "USD", 1, "used")), Code.KEY_REUSED),
    ("withdraw too much", lambda x: x.do(ReserveWithdrawal(BOB, "USD", 5_001, "k")), Code.INSUFFICIENT_BALANCE),
    ("withdraw frozen", lambda x: x.do(ReserveWithdrawal(EVE, "USD", 1, "k")), Code.ACCOUNT_FROZEN),
    ("101 withdrawals", lambda x: x.do(ReserveWithdrawal(HEIDI, "USD", 1, "k")), Code.TOO_MANY_WITHDRAWALS),
    ("settle nothing", lambda x: x.do(SettleWithdrawal(HEIDI, 999)), Code.UNKNOWN_WITHDRAWAL),
    ("release another's", lambda x: x.do(ReleaseWithdrawal(BOB, 1)), Code.UNKNOWN_WITHDRAWAL),
    # the market's phase, the account
    ("new while halted", lambda x: x.buy(BOB, 90, 4, market="HALTED"), Code.PHASE_FORBIDS),
    ("cancel while halted", lambda x: x.do(CancelOrder(HEIDI, "HALTED", 10)), Code.PHASE_FORBIDS),
    ("cancel all while halted", lambda x: x.do(CancelAll(HEIDI, "HALTED")), Code.PHASE_FORBIDS),
    ("frozen", lambda x: x.buy(EVE, 90, 4), Code.ACCOUNT_FROZEN),
    ("frozen, a list", lambda x: x.do(pair(EVE)), Code.ACCOUNT_FROZEN),
    ("frozen, amend", lambda x: x.do(amend(EVE, 6, quantity=4)), Code.ACCOUNT_FROZEN),
    # conditional orders and icebergs
    ("stop without a price", lambda x: x.do(PlaceOrder(stop(BOB, BUY, None), LATE)), Code.INVALID_ORDER),
    ("stop with a limit", lambda x: x.buy(BOB, 120, 4, type=STOP_LOSS, stop_price=110), Code.INVALID_ORDER),
    ("stop-limit without limit", lambda x: x.buy(BOB, None, 4, type=STOP_LOSS_LIMIT, stop_price=110), Code.INVALID_ORDER),
    ("stop by quote", lambda x: x.buy(BOB, None, None, type=STOP_LOSS, stop_price=110, quote_quantity=400), Code.INVALID_ORDER),
    ("stop, gtc", lambda x: x.buy(BOB, None, 4, type=STOP_LOSS, stop_price=110, time_in_force=GTC), Code.INVALID_ORDER),
    ("stop, post-only", lambda x: x.buy(BOB, 120, 4, type=STOP_LOSS_LIMIT, stop_price=110, post_only=True), Code.INVALID_ORDER),
    ("limit with a stop price", lambda x: x.buy(BOB, 90, 4, stop_price=110), Code.INVALID_ORDER),
    ("market with a stop price", lambda x: x.buy(BOB, None, 4, stop_price=110), Code.INVALID_ORDER),
    ("trailing by 0", lambda x: x.buy(BOB, None, 4, type=STOP_LOSS, trailing_delta=0), Code.INVALID_ORDER),
    ("trailing by 50.01 %", lambda x: x.buy(BOB, None, 4, type=STOP_LOSS, trailing_delta=5_001), Code.INVALID_ORDER),
    ("iceberg, ioc", lambda x: x.buy(BOB, 90, 8, visible_quantity=4, time_in_force=IOC), Code.INVALID_ORDER),
    ("iceberg by market", lambda x: x.buy(BOB, None, 8, visible_quantity=4), Code.INVALID_ORDER),
    ("more visible than there is", lambda x: x.buy(BOB, 90, 4, visible_quantity=6), Code.INVALID_ORDER),
    ("visible in too many parts", lambda x: x.buy(BOB, 90, 202, visible_quantity=2), Code.TOO_MANY_PARTS),
    ("visible off step", lambda x: x.buy(BOB, 90, 8, visible_quantity=3), Code.QUANTITY_OFF_STEP),
    ("stop off tick", lambda x: x.do(PlaceOrder(stop(BOB, BUY, 111), LATE)), Code.PRICE_OFF_TICK),
    ("stop too far", lambda x: x.do(PlaceOrder(stop(BOB, BUY, 205), LATE)), Code.PRICE_OUT_OF_BAND),
    ("stop reached, rising", lambda x: x.do(PlaceOrder(stop(BOB, BUY, 100), LATE)), Code.WOULD_TRIGGER),
    ("stop reached, falling", lambda x: x.do(PlaceOrder(stop(BOB, SELL, 100), LATE)), Code.WOULD_TRIGGER),
    ("profit reached, falling", lambda x: x.do(PlaceOrder(stop(BOB, BUY, 100, type=TAKE_PROFIT), LATE)), Code.WOULD_TRIGGER),
    ("profit reached, rising", lambda x: x.do(PlaceOrder(stop(BOB, SELL, 100, type=TAKE_PROFIT), LATE)), Code.WOULD_TRIGGER),
    ("trailing stop reached", lambda x: x.do(PlaceOrder(stop(BOB, BUY, 95, trailing_delta=100), LATE)), Code.WOULD_TRIGGER),
    ("trailing from nowhere", lambda x: x.do(PlaceOrder(stop(BOB, BUY, None, trailing_delta=100, market="QUIET"), LATE)), Code.NO_LAST_PRICE),
    ("stop too dear", lambda x: x.buy(BOB, None, 48, type=STOP_LOSS, stop_price=105), Code.INSUFFICIENT_BALANCE),
    # lists
    ("list in no market", lambda x: x.do(pair(BOB, {"market": "NONE"}, {"market": "NONE"})), Code.UNKNOWN_MARKET),
    ("legs of two accounts", lambda x: x.do(pair(BOB, second={"account": ALICE})), Code.INVALID_ORDER_LIST),
    ("legs of two sides", lambda x: x.do(pair(BOB, second={"side": BUY})), Code.INVALID_ORDER_LIST),
    ("legs of two quantities", lambda x: x.do(pair(BOB, second={"quantity": 6})), Code.INVALID_ORDER_LIST),
    ("legs of one name", lambda x: x.do(pair(BOB, {"client_order_id": "n"}, {"client_order_id": "n"})), Code.INVALID_ORDER_LIST),
    ("both legs above", lambda x: x.do(pair(BOB, second={"stop_price": 105, "type": TAKE_PROFIT})), Code.INVALID_ORDER_LIST),
    ("a leg that may take", lambda x: x.do(pair(BOB, {"post_only": False})), Code.INVALID_ORDER_LIST),
    ("list without a last price", lambda x: x.do(pair(BOB, {"market": "QUIET"}, {"market": "QUIET"})), Code.INVALID_ORDER_LIST),
    ("malformed leg", lambda x: x.do(pair(BOB, second={"price": 85})), Code.INVALID_ORDER),
    ("late list", lambda x: x.do(msgspec.structs.replace(pair(BOB), expires_at=999)), Code.EXPIRED),
    ("list too dear", lambda x: x.do(pair(CAROL, {"quantity": 6}, {"quantity": 6})), Code.INSUFFICIENT_BALANCE),
    ("cancel no list", lambda x: x.do(CancelOrderList(GRACE, MARKET, 99)), Code.UNKNOWN_ORDER_LIST),
    ("cancel another's list", lambda x: x.do(CancelOrderList(BOB, MARKET, 1)), Code.UNKNOWN_ORDER_LIST),
    # limits
    ("a fourth order", lambda x: x.buy(IVAN, 90, 4), Code.TOO_MANY_ORDERS),
    ("a list as third and fourth", lambda x: x.do(pair(DAVE)), Code.TOO_MANY_ORDERS),
    ("a second stop", lambda x: x.do(PlaceOrder(stop(DAVE, BUY, 110), LATE)), Code.TOO_MANY_CONDITIONAL_ORDERS),
    ("a list of two stops", lambda x: x.do(pair(BOB, {"type": TAKE_PROFIT, "stop_price": 110, "price": None, "time_in_force": IOC, "post_only": False})), Code.TOO_MANY_CONDITIONAL_ORDERS),
    ("worth too much", lambda x: x.buy(BOB, 155, 1_000), Code.NOTIONAL_TOO_LARGE),
    ("open orders worth too much", lambda x: x.buy(FRANK, 90, 6), Code.NOTIONAL_LIMIT_EXCEEDED),
    ("by market, worth too much", lambda x: x.buy(FRANK, None, 6), Code.NOTIONAL_LIMIT_EXCEEDED),
    ("amended, worth too much", lambda x: x.do(amend(FRANK, 7, quantity=22)), Code.NOTIONAL_LIMIT_EXCEEDED),
    # changes
    ("amend nothing", lambda x: x.do(amend(BOB, 99, quantity=4)), Code.UNKNOWN_ORDER),
    ("amend another's", lambda x: x.do(amend(BOB, 4, quantity=4)), Code.UNKNOWN_ORDER),
    ("amend too late", lambda x: x.do(amend(DAVE, 4, quantity=4, expires_at=999)), Code.EXPIRED),
    ("amend to the same", lambda x: x.do(amend(DAVE, 4, quantity=10)), Code.INVALID_AMENDMENT),
    ("amend below what was filled", lambda x: x.do(amend(ALICE, 3, quantity=4)), Code.INVALID_AMENDMENT),
    ("amend a leg", lambda x: x.do(amend(GRACE, 8, price=115)), Code.INVALID_AMENDMENT),
    ("a limit for a stop without", lambda x: x.do(amend(DAVE, 5, price=120)), Code.INVALID_AMENDMENT),
    ("amend off tick", lambda x: x.do(amend(DAVE, 4, price=91)), Code.PRICE_OFF_TICK),
    ("amend, name taken", lambda x: x.do(amend(ALICE, 3, new_client_order_id="second")), Code.DUPLICATE_CLIENT_ORDER_ID),
    ("amend, too dear", lambda x: x.do(amend(DAVE, 4, quantity=60)), Code.INSUFFICIENT_BALANCE),
    ("replace too late", lambda x: x.do(ReplaceOrder(order_terms(DAVE, BUY, 90, 4), ReplaceMode.ALLOW_FAILURE, 999, 4)), Code.EXPIRED),
    ("replace nothing", lambda x: canceled(x.do(ReplaceOrder(order_terms(DAVE, BUY, 90, 4), ReplaceMode.STOP_ON_FAILURE, LATE, 99))), Code.UNKNOWN_ORDER),
    ("timer below 0", lambda x: x.do(CancelAllAfter(BOB, -1)), Code.INVALID_TIMER),
    ("timer of more than a day", lambda x: x.do(CancelAllAfter(BOB, 86_400_001)), Code.INVALID_TIMER),
    ("timer in no market", lambda x: x.do(CancelAllAfter(BOB, 5, "NONE")), Code.UNKNOWN_MARKET),
    ("timer of nobody", lambda x: x.do(CancelAllAfter(77, 5)), Code.INVALID_ACCOUNT),
    ("cancel all in no market", lambda x: x.do(CancelAll(BOB, "NONE")), Code.UNKNOWN_MARKET),
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
    exchange.sell(ALICE, 100, 14, client_order_id="standing")
    settle_in(exchange)
    return exchange


def settle_in(exchange: Exchange) -> None:
    """Everybody else of the table's comment."""
    for account in (DAVE, EVE, FRANK, GRACE, HEIDI, IVAN):
        exchange.fund(account, ABC=4, USD=2_000)
    exchange.buy(DAVE, 90, 10)
    exchange.do(PlaceOrder(stop(DAVE, BUY, 120), LATE))
    exchange.buy(EVE, 90, 6)
    exchange.do(ConfigureAccount(EVE, frozen=True))
    exchange.do(LimitNotional(FRANK, "USD", 1_000))
    exchange.buy(FRANK, 50, 10)
    exchange.do(pair(GRACE))
    for symbol in ("QUIET", "HALTED"):
        exchange.do(changed(symbol=symbol, **STRICT))
    exchange.buy(HEIDI, 90, 4, market="HALTED")
    exchange.do(SetPhase("HALTED", HALTED))
    for number in range(100):
        exchange.do(ReserveWithdrawal(HEIDI, "USD", 1, f"withdrawal-{number}"))
    for price in (80, 85, 90):
        exchange.buy(IVAN, price, 4)
    exchange.sell(ALICE, 105, 4, client_order_id="second")
    exchange.buy(GRACE, 100, 4)


@pytest.mark.parametrize(("attempt", "code"), [row[1:] for row in TABLE], ids=[r[0] for r in TABLE])
def test_refused(exchange: Exchange, attempt: Attempt, code: Code) -> None:
    before, seen = state_hash(exchange.engine), len(exchange.events)
    assert code_of(attempt(exchange)) is code
    assert [type(event) for event in exchange.events[seen:]] == [Rejected]
    assert state_hash(exchange.engine) == before


def test_every_code_is_reached() -> None:
    assert {code for _, _, code in TABLE} == set(Code)
