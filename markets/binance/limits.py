"""How much and how often: request weights by address, new orders by account.

Weights are counted in fixed minutes. Beyond the limit the answer is 429; who goes on all the same
is banned, 418, for two minutes at first and up to three days. Orders are counted in fixed windows
of ten seconds and of a day; one that would exceed a limit is not placed, and not counted. Keys of
the tier `maker` are not counted at all.

| key in the shared Redis | holds |
| --- | --- |
| `binance:weight:<address>:<minute>` | the weight used in that minute |
| `binance:violations:<address>` | requests beyond the limit, of the last two minutes |
| `binance:ban:<address>` | while the address is banned |
| `binance:bans:<address>` | bans of the last three days |
| `binance:orders:<account>:<seconds>:<window>` | orders placed in that window |

Where that Redis does not answer, nothing is counted and all pass: trading does not stop with it.
"""

import time
from collections.abc import Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from django.conf import settings

from accounts.counting import Count, run_count
from markets.binance import errors
from markets.binance.errors import BinanceError

MAX_VIOLATIONS: Final = 100
"""Requests beyond the limit that are answered 429; the next one bans."""

FIRST_BAN_S: Final = 120
LONGEST_BAN_S: Final = 3 * 24 * 60 * 60

_MINUTE_S: Final = 60
TEN_SECONDS: Final = 10
DAY: Final = 24 * 60 * 60


class Usage(NamedTuple):
    """What an address has used in this minute."""

    weight: int

    def headers(self) -> dict[str, str]:
        used = str(self.weight)
        return {"X-MBX-USED-WEIGHT": used, "X-MBX-USED-WEIGHT-1M": used}


class OrderCounts(NamedTuple):
    """What an account has placed in the two windows."""

    ten_seconds: int
    day: int

    def headers(self) -> dict[str, str]:
        return {
            "X-MBX-ORDER-COUNT-10S": str(self.ten_seconds),
            "X-MBX-ORDER-COUNT-1D": str(self.day),
        }


UNCOUNTED: Final = Usage(0)
UNCOUNTED_ORDERS: Final = OrderCounts(0, 0)

# One script, so that a request takes one round trip and no other process sees half of it.
_USE: Final = """
local ban = redis.call('PTTL', KEYS[3])
if ban > 0 then return {-1, ban} end
local used = redis.call('INCRBY', KEYS[1], ARGV[1])
if used == tonumber(ARGV[1]) then redis.call('EXPIRE', KEYS[1], 61) end
if used <= tonumber(ARGV[2]) then return {used, 0} end
local violations = redis.call('INCR', KEYS[2])
if violations == 1 then redis.call('EXPIRE', KEYS[2], 120) end
if violations <= tonumber(ARGV[3]) then return {used, 0} end
local bans = redis.call('INCR', KEYS[4])
redis.call('EXPIRE', KEYS[4], ARGV[5])
local seconds = math.min(tonumber(ARGV[4]) * 2 ^ math.min(bans - 1, 20), tonumber(ARGV[5]))
redis.call('SET', KEYS[3], '1', 'EX', string.format('%d', seconds))
redis.call('DEL', KEYS[2])
return {-1, string.format('%d', seconds * 1000)}
"""

_PLACE: Final = """
for i = 1, 2 do
  local placed = tonumber(redis.call('GET', KEYS[i]) or '0')
  if placed + ARGV[1] > tonumber(ARGV[1 + i]) then return {-i, 0} end
end
local counts = {}
for i = 1, 2 do
  counts[i] = redis.call('INCRBY', KEYS[i], ARGV[1])
  if counts[i] == tonumber(ARGV[1]) then redis.call('EXPIRE', KEYS[i], ARGV[3 + i]) end
end
return counts
"""

_PLACED: Final = "return redis.call('MGET', KEYS[1], KEYS[2])"


def weight_of(*, address: str, weight: int) -> Count[Usage]:
    """A request. Reading it raises BinanceError -1003, status 429 or 418."""
    now = time.time()
    limit = settings.BINANCE_REQUEST_WEIGHT_PER_MINUTE
    names = (
        f"binance:weight:{address}:{int(now) // _MINUTE_S}",
        f"binance:violations:{address}",
        f"binance:ban:{address}",
        f"binance:bans:{address}",
    )
    arguments = (weight, limit, MAX_VIOLATIONS, FIRST_BAN_S, LONGEST_BAN_S)
    return Count(_USE, names, arguments, partial(_usage, now, limit))


def orders_of(*, account: int, number: int) -> Count[OrderCounts]:
    """Orders that are about to be placed. Reading it raises BinanceError -1015."""
    limits = (settings.BINANCE_ORDERS_PER_10_SECONDS, settings.BINANCE_ORDERS_PER_DAY)
    arguments = (number, *limits, TEN_SECONDS + 1, DAY + 1)
    return Count(_PLACE, _order_keys(account), arguments, partial(_order_counts, limits))


def _usage(now: float, limit: int, answer: Any) -> Usage:
    if answer is None:
        return UNCOUNTED
    used, ban_ms = int(answer[0]), int(answer[1])
    if used < 0:
        raise _banned(now, ban_ms)
    if used > limit:
        raise _too_much(limit, _MINUTE_S - now % _MINUTE_S)
    return Usage(used)


def _order_counts(limits: Sequence[int], answer: Any) -> OrderCounts:
    if answer is None:
        return UNCOUNTED_ORDERS
    ten_seconds, day = (int(count) for count in answer)
    if ten_seconds == -1:
        raise errors.TOO_MANY_ORDERS.error(limits[0], "10 SECOND")
    if ten_seconds == -2:
        raise errors.TOO_MANY_ORDERS.error(limits[1], "1 DAY")
    return OrderCounts(ten_seconds, day)


def order_counts(*, account: int) -> OrderCounts:
    """What was counted so far."""
    return run_count(Count(_PLACED, _order_keys(account), (), _placed))


def _placed(answer: Any) -> OrderCounts:
    if answer is None:
        return UNCOUNTED_ORDERS
    ten_seconds, day = answer
    return OrderCounts(int(ten_seconds or 0), int(day or 0))


def _order_keys(account: int) -> tuple[str, str]:
    now = int(time.time())
    ten_seconds, day = (
        f"binance:orders:{account}:{seconds}:{now // seconds}" for seconds in (TEN_SECONDS, DAY)
    )
    return ten_seconds, day


def _banned(now: float, ban_ms: int) -> BinanceError:
    error = errors.BANNED.error(int(now * 1000) + ban_ms)
    error.retry_after_s = ban_ms / 1000
    return error


def _too_much(limit: int, wait_s: float) -> BinanceError:
    error = errors.TOO_MUCH_WEIGHT.error(limit)
    error.retry_after_s = wait_s
    return error
