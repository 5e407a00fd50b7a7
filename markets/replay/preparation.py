"""The market, the accounts and the funds of a replay; everything through the audited services."""

from math import gcd
from typing import Final, NamedTuple

from accounts.models import User
from accounts.onramp_commands import fund
from accounts.services import user_create
from accounts.trading_accounts import orders_unlimit
from engine.amounts import format_amount, parse_amount
from engine.client import engine_client
from engine.core.commands import CancelOrder
from engine.core.events import OrderState
from engine.core.queries import GetBalances, GetDepth, GetOpenOrders, Query
from engine.core.replies import BalancesReply, DepthReply, OrdersReply, Refused
from engine.pipeline import Pipeline
from markets.administration import market_define
from markets.models import Market
from markets.replay.player import Players, ReplayRefused
from markets.selectors import get_market
from markets.venues.amounts import Scales

MAKER: Final = "replay-maker"
TAKER: Final = "replay-taker"

FUNDS: Final = "1000000000"
"""Of either asset, for either account. It is topped up where less than half of it is left."""

MAX_QUANTITY: Final = "1000000000"
# The widest band there is: the far ends of a real book are far away.
BAND_DOWN_PPM: Final = 1
BAND_UP_PPM: Final = 1_000_000_000

_EVERYTHING: Final = 2**31


class Stage(NamedTuple):
    market: str
    scales: Scales
    players: Players


def prepare(*, recorded: str, market: str) -> Stage:
    """A market without orders, and two accounts that can pay.

    Assets and tick are those of the market that was recorded. Raises ReplayRefused, and
    what services and the engine's client raise.
    """
    model = get_market(symbol=recorded)
    if model is None:
        raise ReplayRefused(f"there is no market {recorded} here to take assets and tick from")
    _ensure_market(market, model)
    players = Players(maker=_user(MAKER).pk, taker=_user(TAKER).pk)
    for player in players:
        orders_unlimit(account=player)
    _clear(market, players)
    for username in (MAKER, TAKER):
        for asset in (model.base, model.quote):
            _ensure_funds(_user(username), asset.symbol, asset.scale)
    return Stage(market, Scales(model.base.scale, model.quote.scale), players)


def open_orders(account: int, market: str) -> tuple[OrderState, ...]:
    reply = engine_client().call(GetOpenOrders(account, market)).reply
    assert isinstance(reply, OrdersReply)
    return reply.orders


def _ensure_market(symbol: str, model: Market) -> None:
    """One that exists keeps its rules."""
    if isinstance(engine_client().call(GetDepth(symbol, 0)).reply, DepthReply):
        existing = get_market(symbol=symbol)
        if existing is None:
            raise ReplayRefused(f"{symbol} was defined a moment ago: run this again")
        if (existing.base_id, existing.quote_id) != (model.base_id, model.quote_id):
            raise ReplayRefused(f"{symbol} trades other assets than {model.symbol}")
        return
    step = format_amount(_finest_step(model), model.base.scale)
    market_define(
        symbol=symbol,
        base=model.base_id,
        quote=model.quote_id,
        base_scale=model.base.scale,
        quote_scale=model.quote.scale,
        tick=f"{model.tick:f}",
        step=step,
        min_quantity=step,
        max_quantity=MAX_QUANTITY,
        min_notional="0",
        band_down_ppm=BAND_DOWN_PPM,
        band_up_ppm=BAND_UP_PPM,
        maker_fee_ppm=0,
        taker_fee_ppm=0,
        max_open_orders=None,
        max_conditional_orders=None,
    )


def _finest_step(model: Market) -> int:
    """The smallest step that the tick allows, in smallest units: no trade may ever round.

    A real book holds quantities finer than its market's step: orders from before the venue made
    the step coarser.
    """
    unit: int = 10**model.base.scale
    tick = parse_amount(f"{model.tick:f}", model.quote.scale)
    return unit // gcd(tick, unit)


def _user(username: str) -> User:
    """Without a password or a key: nobody signs in as one of these."""
    return User.objects.filter(username=username).first() or user_create(username=username)


def _clear(market: str, players: Players) -> None:
    """Cancel what an earlier replay left. Raises ReplayRefused where others have orders."""
    client = engine_client()
    # One push, so that nothing comes between the two answers.
    questions: list[Query] = [
        GetDepth(market, _EVERYTHING),
        *(GetOpenOrders(p, market) for p in players),
    ]
    depth, *answers = [future.result(5.0).reply for future in client.send_all(questions)]
    assert isinstance(depth, DepthReply)
    own: list[OrderState] = []
    for reply in answers:
        assert isinstance(reply, OrdersReply)
        own += reply.orders
    in_book = sum(quantity for side in (depth.bids, depth.asks) for _, quantity in side)
    if in_book != sum((o.terms.quantity or 0) - o.executed_quantity for o in own):
        raise ReplayRefused(f"{market} holds orders of other accounts")
    pipeline = Pipeline(client)
    cancels = [CancelOrder(o.terms.account, market, order_id=o.order_id) for o in own]
    for _, reply in pipeline.send(cancels) + pipeline.drain():
        if isinstance(reply, Refused):
            raise ReplayRefused(f"orders of an earlier replay still trade: {reply.detail}")


def _ensure_funds(user: User, asset: str, scale: int) -> None:
    balances = engine_client().call(GetBalances(user.pk)).reply
    assert isinstance(balances, BalancesReply)
    held = sum(available for symbol, available, _ in balances.balances if symbol == asset)
    wanted = parse_amount(FUNDS, scale)
    if held < wanted // 2:
        amount = format_amount(wanted - held, scale)
        fund(user=user, asset=asset, amount=amount, reason="replay")
