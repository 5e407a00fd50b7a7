"""The caller's own: balances, trades, fees, order counts, listen keys."""

import time
from typing import Final

from accounts.models import Scope
from engine.intervals import DAY
from markets import own, selectors
from markets.binance import errors, limits, listen_keys, payloads, presenting, queries
from markets.binance.callers import Caller
from markets.binance.exchange_info import SPOT, rate_limits
from markets.definitions import get_definition, list_assets, list_definitions

_PPM_OF_A_BASIS_POINT: Final = 100


def account(caller: Caller, wanted: queries.AccountQuery) -> payloads.Account:
    """Balances of every asset, exact to the last command, and what the caller may do.

    Fees are those of the dearest market; `account/commission` tells those of each.
    """
    held = {asset: amounts for asset, *amounts in own.balances(account=caller.account)}
    names = sorted(held) if wanted.omit_zero_balances else sorted({*list_assets(), *held})
    balances = [presenting.balance_out(asset, *held.get(asset, (0, 0))) for asset in names]
    if wanted.omit_zero_balances:
        balances = [b for b in balances if (b.free, b.locked) != (presenting.ZERO,) * 2]
    rules = [market.rules for market in list_definitions()]
    maker = max((rule.maker_fee_ppm for rule in rules), default=0)
    taker = max((rule.taker_fee_ppm for rule in rules), default=0)
    return payloads.Account(
        maker_commission=maker // _PPM_OF_A_BASIS_POINT,
        taker_commission=taker // _PPM_OF_A_BASIS_POINT,
        buyer_commission=0,
        seller_commission=0,
        commission_rates=presenting.rates(maker, taker),
        can_trade=caller.may(Scope.TRADE),
        can_withdraw=False,
        can_deposit=True,
        brokered=False,
        require_self_trade_prevention=False,
        prevent_sor=False,
        update_time=time.time_ns() // 1_000_000,
        account_type=SPOT,
        balances=balances,
        permissions=[SPOT],
        uid=caller.account,
    )


def my_trades(caller: Caller, wanted: queries.MyTradesQuery) -> list[payloads.MyTrade]:
    """The caller's trades in one market, oldest first, up to the newest: from `fromId` or
    `startTime` on, else the most recent ones; with `orderId` those of one order."""
    timed = (wanted.start_time, wanted.end_time) != (None, None)
    if timed and (wanted.from_id is not None or wanted.order_id is not None):
        raise errors.BAD_COMBINATION.error()
    check_day(wanted.start_time, wanted.end_time)
    fills = own.fills_past(
        account=caller.account,
        market=wanted.symbol,
        order_id=wanted.order_id,
        from_id=wanted.from_id,
        start_time=wanted.start_time,
        end_time=wanted.end_time,
        limit=wanted.limit,
    )
    orders = selectors.get_orders(order_ids={fill.order_id for fill in fills})
    return [presenting.my_trade(fill, orders[fill.order_id].list_id) for fill in fills]


def check_day(start_time: int | None, end_time: int | None) -> None:
    """Raises BinanceError -1127 where more than 24 hours are asked for."""
    if start_time is not None and end_time is not None and end_time - start_time > DAY:
        raise errors.MORE_THAN_24_HOURS.error()


def commission(_: Caller, wanted: queries.SymbolQuery) -> payloads.Commission:
    """The fees of one market."""
    rules = get_definition(symbol=wanted.symbol).rules
    return payloads.Commission(
        symbol=wanted.symbol,
        standard_commission=presenting.rates(rules.maker_fee_ppm, rules.taker_fee_ppm),
        special_commission=presenting.NO_RATES,
        tax_commission=presenting.NO_RATES,
        discount=presenting.NO_DISCOUNT,
    )


def order_rate_limits(caller: Caller, _: queries.NoParameters) -> list[payloads.RateLimitUsage]:
    """How many orders the caller has placed in the windows under way."""
    counts = limits.order_counts(account=caller.account)
    return [
        payloads.RateLimitUsage(
            limit.rate_limit_type, limit.interval, limit.interval_num, limit.limit, count
        )
        for limit, count in zip(
            [limit for limit in rate_limits() if limit.rate_limit_type == "ORDERS"],
            counts,
            strict=True,
        )
    ]


def listen_key_open(caller: Caller, _: queries.NoParameters) -> payloads.ListenKey:
    """A key for the caller's own stream, valid for an hour; the one there is, renewed."""
    key = listen_keys.open_listen_key(account=caller.account, revocations=caller.revocations)
    return payloads.ListenKey(key)


def listen_key_extend(caller: Caller, wanted: queries.ListenKeyQuery) -> payloads.Empty:
    """Keep a key valid for another hour."""
    if not listen_keys.extend_listen_key(
        account=caller.account, revocations=caller.revocations, listen_key=wanted.listen_key
    ):
        raise errors.INVALID_LISTEN_KEY.error()
    return payloads.Empty()


def listen_key_close(caller: Caller, wanted: queries.ListenKeyQuery) -> payloads.Empty:
    """End a key and the streams that were opened with it."""
    if not listen_keys.close_listen_key(account=caller.account, listen_key=wanted.listen_key):
        raise errors.INVALID_LISTEN_KEY.error()
    return payloads.Empty()
