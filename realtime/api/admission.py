"""A request is let in: its caller known, its weight and its orders counted."""

from collections.abc import Sequence
from functools import lru_cache

from accounts.counting import counting
from accounts.selectors import knows_credential
from markets.binance import limits
from markets.binance.callers import Caller, Security
from markets.binance.errors import BinanceError
from markets.binance.exchange_info import rate_limits
from markets.binance.limits import OrderCounts, TooManyOrders, TooMuchWeight
from markets.binance.parameters import Parameters
from markets.binance.payloads import RateLimitUsage
from realtime.api.session import ApiSession


class Counted:
    """What was counted for a request, as its answer tells it."""

    def __init__(self) -> None:
        self.usage = limits.UNCOUNTED
        self.orders: OrderCounts | None = None

    def told(self) -> Sequence[RateLimitUsage]:
        return _usage(self.usage.weight, *(self.orders or ()))


@lru_cache(maxsize=1_000)
def _usage(*counts: int) -> Sequence[RateLimitUsage]:
    """A maker's are always the same."""
    return [
        RateLimitUsage(
            limit.rate_limit_type, limit.interval, limit.interval_num, limit.limit, count
        )
        for limit, count in zip(rate_limits(), counts, strict=False)
    ]


async def admit(
    session: ApiSession,
    parameters: Parameters,
    security: Security,
    weight: int,
    counted: Counted,
) -> Caller:
    """Know the caller and count the request; a maker's is not counted.

    Raises BinanceError, and what the database does.
    """
    key = session.key_of(parameters)
    if security is Security.NONE or key is None or not knows_credential(key=key):
        # Before anything is looked up for whoever this is.
        await _use_weight(session, weight, counted)
        return await session.identify(parameters, security)
    try:
        caller = await session.identify(parameters, security)
    except BinanceError:
        await _use_weight(session, weight, counted)
        raise
    if not caller.is_maker:
        await _use_weight(session, weight, counted)
    return caller


async def _use_weight(session: ApiSession, weight: int, counted: Counted) -> None:
    count = limits.weight_of(address=session.address, weight=weight)
    try:
        counted.usage = await counting().run(count)
    except TooMuchWeight as error:
        counted.usage = error.used
        raise


async def count_orders(caller: Caller, number: int, counted: Counted) -> None:
    """Count orders that are about to be placed. Raises BinanceError."""
    if not number:
        return
    counted.orders = limits.UNCOUNTED_ORDERS
    if caller.is_maker:
        return
    try:
        counted.orders = await counting().run(
            limits.orders_of(account=caller.account, number=number)
        )
    except TooManyOrders as error:
        counted.orders = error.used
        raise
