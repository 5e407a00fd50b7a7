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
from typing import Any, Final, Generic, NamedTuple, TypeVar

from django.conf import settings

from accounts.counting import Count, run_count
from markets.binance import errors
from markets.binance.errors import BinanceError, Words

MAX_VIOLATIONS: Final = 100
"""Requests beyond the limit that are answered 429; the next one bans."""

FIRST_BAN_S: Final = 120
LONGEST_BAN_S: Final = 3 * 24 * 60 * 60

_MINUTE_S: Final = 60
TEN_SECONDS: Final = 10
DAY: Final = 24 * 60 * 60
_WINDOWS: Final = ((TEN_SECONDS, "10 SECOND"), (DAY, "1 DAY"))
"""Of orders."""


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

_Used = TypeVar("_Used", Usage, OrderCounts)


class LimitExceeded(BinanceError, Generic[_Used]):
    """Tells what is used, and from when on it is worth another try. Times are milliseconds since
    the epoch."""

    def __init__(
        self, words: Words, *values: object, used: _Used, now_s: float, retry_at_ms: int
    ) -> None:
        super().__init__(words.code, words.text.format(*values), status=words.status)
        self.used: _Used = used
        self.now_ms = int(now_s * 1_000)
        self.retry_at_ms = retry_at_ms

    @property
    def retry_after_s(self) -> float:
        return (self.retry_at_ms - self.now_ms) / 1_000


class TooMuchWeight(LimitExceeded[Usage]):
    """By an address: -1003, with 429 or, of one that is banned, 418."""


class TooManyOrders(LimitExceeded[OrderCounts]):
    """By an account: -1015."""


# One script, so that a request takes one round trip and no other process sees half of it.
_USE: Final = """
local ban = redis.call('PTTL', KEYS[3])
if ban > 0 then return {redis.call('GET', KEYS[1]) or '0', ban} end
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
return {used, string.format('%d', seconds * 1000)}
"""

_PLACE: Final = """
local counts = redis.call('MGET', KEYS[1], KEYS[2])
for i = 1, 2 do
  local placed = tonumber(counts[i] or '0')
  if placed + ARGV[1] > tonumber(ARGV[1 + i]) then
    return {counts[1] or '0', counts[2] or '0', i}
  end
end
for i = 1, 2 do
  counts[i] = redis.call('INCRBY', KEYS[i], ARGV[1])
  if counts[i] == tonumber(ARGV[1]) then redis.call('EXPIRE', KEYS[i], ARGV[3 + i]) end
end
return {counts[1], counts[2], 0}
"""

_PLACED: Final = "return redis.call('MGET', KEYS[1], KEYS[2])"


def weight_of(*, address: str, weight: int) -> Count[Usage]:
    """A request. Reading it raises TooMuchWeight."""
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
    """Orders that are about to be placed. Reading it raises TooManyOrders."""
    now = time.time()
    limits = (settings.BINANCE_ORDERS_PER_10_SECONDS, settings.BINANCE_ORDERS_PER_DAY)
    arguments = (number, *limits, TEN_SECONDS + 1, DAY + 1)
    return Count(_PLACE, _order_keys(account, now), arguments, partial(_order_counts, now, limits))


def _usage(now: float, limit: int, answer: Any) -> Usage:
    if answer is None:
        return UNCOUNTED
    used, ban_ms = Usage(int(answer[0])), int(answer[1])
    if ban_ms:
        until_ms = int(now * 1_000) + ban_ms
        raise TooMuchWeight(errors.BANNED, until_ms, used=used, now_s=now, retry_at_ms=until_ms)
    if used.weight > limit:
        retry_at_ms = _end_ms(now, _MINUTE_S)
        words = errors.TOO_MUCH_WEIGHT
        raise TooMuchWeight(words, limit, used=used, now_s=now, retry_at_ms=retry_at_ms)
    return used


def _order_counts(now: float, limits: Sequence[int], answer: Any) -> OrderCounts:
    if answer is None:
        return UNCOUNTED_ORDERS
    ten_seconds, day, exceeded = (int(each) for each in answer)
    used = OrderCounts(ten_seconds, day)
    if exceeded:
        seconds, window = _WINDOWS[exceeded - 1]
        retry_at_ms = _end_ms(now, seconds)
        words, limit = errors.TOO_MANY_ORDERS, limits[exceeded - 1]
        raise TooManyOrders(words, limit, window, used=used, now_s=now, retry_at_ms=retry_at_ms)
    return used


def _end_ms(now: float, seconds: int) -> int:
    """Of the window of so many seconds."""
    return (int(now) // seconds + 1) * seconds * 1_000


def order_counts(*, account: int) -> OrderCounts:
    """What was counted so far."""
    return run_count(Count(_PLACED, _order_keys(account, time.time()), (), _placed))


def _placed(answer: Any) -> OrderCounts:
    if answer is None:
        return UNCOUNTED_ORDERS
    ten_seconds, day = answer
    return OrderCounts(int(ten_seconds or 0), int(day or 0))


def _order_keys(account: int, now: float) -> tuple[str, str]:
    ten_seconds, day = (
        f"binance:orders:{account}:{seconds}:{int(now) // seconds}"
        for seconds in (TEN_SECONDS, DAY)
    )
    return ten_seconds, day
