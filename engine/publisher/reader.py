"""What the publisher keeps in Redis, for those who answer questions: depth, candles, statistics.

It needs neither the engine nor the database, and answers while they are down.
"""

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec
import redis
from django.conf import settings

from engine.connections import connect
from engine.core.types import Phase
from engine.intervals import Interval
from engine.publisher import keys
from engine.publisher.candles import LiveCandle
from engine.publisher.feeds import FeedsState
from engine.publisher.statistics import Minute, Statistics


class FeedUnavailable(Exception):
    """The publisher's Redis does not answer, or nothing of that market is in it yet."""


class Depth(msgspec.Struct, frozen=True):
    """Levels `(price, quantity)`, best first. `number` is that of the newest change in them."""

    number: int
    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]
    phase: Phase


# In one script, so that all of it is of one moment.
_DEPTH: Final = """
local function side(prices, quantities, reverse)
  local found
  if reverse then
    found = redis.call('ZRANGE', prices, '+', '-', 'BYLEX', 'REV', 'LIMIT', 0, ARGV[1])
  else
    found = redis.call('ZRANGE', prices, '-', '+', 'BYLEX', 'LIMIT', 0, ARGV[1])
  end
  if #found == 0 then return {found, {}} end
  return {found, redis.call('HMGET', quantities, unpack(found))}
end
return {
  redis.call('GET', KEYS[1]), side(KEYS[2], KEYS[3], true), side(KEYS[4], KEYS[5], false),
  redis.call('HGET', KEYS[6], ARGV[2])
}
"""

MAX_LEVELS: Final = 5_000
_decode_statistics: Final = msgspec.json.Decoder(Statistics).decode
_decode_minute: Final = msgspec.json.Decoder(Minute).decode
_decode_candle: Final = msgspec.json.Decoder(LiveCandle).decode


def read_depth(symbol: str, limit: int) -> Depth:
    """The best `limit` levels a side. Raises FeedUnavailable."""
    found = read_depths([symbol], limit)
    if symbol not in found:
        raise FeedUnavailable(f"nothing is known of {symbol} yet")
    return found[symbol]


def read_depths(symbols: Collection[str], limit: int) -> dict[str, Depth]:
    """The same of several markets, each of one moment; without those of which nothing is known."""
    try:
        with _connection().pipeline(transaction=False) as pipeline:
            for symbol in symbols:
                pipeline.execute_command(*_depth_command(symbol, limit))
            answers = pipeline.execute()
    except redis.RedisError as error:
        raise FeedUnavailable("the publisher's Redis does not answer") from error
    return {
        symbol: Depth(int(number), _levels(bids), _levels(asks), _phase(phase))
        for symbol, (number, bids, asks, phase) in zip(symbols, answers, strict=True)
        if number is not None
    }


def _depth_command(symbol: str, limit: int) -> tuple[str | int, ...]:
    names: list[str] = [keys.number(symbol)]
    for side in ("bids", "asks"):
        names += (keys.prices(symbol, side), keys.side(symbol, side))
    names.append(keys.PHASES)
    return ("EVAL", _DEPTH, len(names), *names, min(limit, MAX_LEVELS), symbol)


def read_statistics(symbol: str | None = None) -> dict[str, Statistics]:
    """The last 24 hours by market. Raises FeedUnavailable."""
    if symbol is not None:
        value = _ask("HGET", keys.TICKERS, symbol)
        return {} if value is None else {symbol: _decode_statistics(value)}
    found: dict[bytes, bytes] = _pairs(_ask("HGETALL", keys.TICKERS))
    return {name.decode(): _decode_statistics(value) for name, value in found.items()}


def read_candle(symbol: str, interval: Interval) -> LiveCandle | None:
    """The newest candle, open or not; None before the first trade. Raises FeedUnavailable."""
    value = _ask("HGET", keys.candles(symbol), interval.value)
    return None if value is None else _decode_candle(value)


def read_minutes(symbol: str, open_times: Sequence[int]) -> list[Minute]:
    """Those of the last 24 hours that had a trade. Raises FeedUnavailable."""
    values = _ask("HMGET", keys.minutes(symbol), *open_times)
    return [_decode_minute(value) for value in values if value is not None]


class PublisherStatus(msgspec.Struct, frozen=True):
    leads: bool
    sequence: int
    digest: str
    """Of that entry; empty where it is not known."""


def read_status(connection: "redis.Redis") -> PublisherStatus:
    """Whether a publisher leads, and the journal entry that it has come to; 0 where nothing is
    stored that this version can read, for then it begins anew."""
    lease, state = connection.mget([keys.LEASE, keys.STATE])
    try:
        stored = msgspec.json.decode(state, type=FeedsState) if state else FeedsState()
    except msgspec.MsgspecError:
        stored = FeedsState()
    return PublisherStatus(lease is not None, stored.sequence, stored.digest)


def _phase(value: bytes | None) -> Phase:
    return Phase.OPEN if value is None else Phase(value.decode())


def _levels(side: list[list[bytes]]) -> list[tuple[int, int]]:
    prices, quantities = side
    return [(int(p), int(q)) for p, q in zip(prices, quantities, strict=True)]


def _pairs(answer: Any) -> Any:
    """RESP2 answers a list of names and values, RESP3 a map; redis-py makes both a dict."""
    return answer if isinstance(answer, dict) else dict(zip(answer[::2], answer[1::2], strict=True))


def _ask(*command: str | int) -> Any:
    try:
        return _connection().execute_command(*command)
    except redis.RedisError as error:
        raise FeedUnavailable("the publisher's Redis does not answer") from error


@lru_cache(maxsize=1)
def _connection() -> "redis.Redis":
    return connect(settings.REDIS_URL)
