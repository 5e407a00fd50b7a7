"""The feeds' state in the shared Redis, and the lease of the one publisher that may write it.

Every step is one script. It writes what changed (levels, batches, candles, minutes, the frames, and
the position in the journal) and then publishes the frames. So the state is always that of one
position, and whoever does not know what became of his last step publishes it again, byte for byte.
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, Final, NamedTuple

import msgspec
import redis.asyncio
from msgspec import structs

from engine.leases import FENCE, FENCED, GIVE_BACK, HOLD, TAKE
from engine.publisher import keys
from engine.publisher.book import BookSide
from engine.publisher.candles import LiveCandle
from engine.publisher.feeds import Feeds, FeedsState
from engine.publisher.market import MarketFeed, MarketState
from engine.publisher.statistics import Minute

LEASE_MS: Final = 1_000

_CHUNK: Final = 1_000
"""Arguments of one command; Lua's stack holds a few thousand."""

_ACQUIRE: Final = f"""{TAKE}
return epoch
"""

# Everything or nothing: the fence and the question who listens stand before the first write, and a
# script that is refused for want of memory is refused at its first write. Who subscribes before the
# question is told, who does so after it finds what was written.
_WRITE: Final = f"""{FENCE}
local joined = {{}}
for _, channels in ipairs(cmsgpack.unpack(ARGV[5])) do
  local counted = redis.call('PUBSUB', 'NUMSUB', unpack(channels))
  for name = 1, #counted, 2 do
    if counted[name + 1] > 0 then joined[#joined + 1] = counted[name] end
  end
end
if #joined > 0 then return {{joined, {{}}}} end
{HOLD}
for _, command in ipairs(cmsgpack.unpack(ARGV[4])) do redis.call(unpack(command)) end
for first = 7, #ARGV, {_CHUNK} do
  redis.call('RPUSH', KEYS[3], unpack(ARGV, first, math.min(first + {_CHUNK} - 1, #ARGV)))
end
local left = {{}}
for name = 7, math.min(#ARGV, 6 + 2 * ARGV[6]), 2 do
  if redis.call('PUBLISH', ARGV[name], ARGV[name + 1]) == 0 then left[#left + 1] = ARGV[name] end
end
return {{{{}}, left}}
"""

# The rest of many. Whoever was succeeded meanwhile says no more: its successor has told it again.
_PUBLISH: Final = f"""{FENCE}
for name = 3, #ARGV, 2 do redis.call('PUBLISH', ARGV[name], ARGV[name + 1]) end
"""

MESSAGES_A_SCRIPT: Final = 1_000
"""That are published in it: Redis answers nobody else meanwhile."""

Command = list[str]
"""Text only: the cmsgpack of Redis knows no binary values."""

_pack: Final = msgspec.msgpack.Encoder().encode


class LeaseLost(Exception):
    """Another publisher leads: nothing was written, and nothing may be."""


class Message(NamedTuple):
    """What is published: a frame, as the channel layer carries it."""

    channel: str
    data: bytes


class Listeners(NamedTuple):
    """Of channels, as a script that wrote found it."""

    joined: list[str]
    """Those of the unheard ones that somebody listens to: then nothing was written or sent."""
    left: list[str]
    """Where a message was sent that nobody received."""


class Stored(NamedTuple):
    """What the last step left."""

    generation: str
    messages: list[Message]
    feeds: Feeds


class FeedStore:
    def __init__(self, client: "redis.asyncio.Redis", lease_ms: int = LEASE_MS) -> None:
        self._client: Any = client
        self._owner = secrets.token_hex(8)
        self._lease_ms = lease_ms
        self._epoch = 0

    async def acquire(self) -> bool:
        epoch = await self._client.eval(
            _ACQUIRE, 2, keys.LEASE, keys.EPOCH, self._owner, self._lease_ms
        )
        self._epoch = epoch or 0
        return epoch is not None

    async def renew(self) -> None:
        """Hold the lease for longer. Raises LeaseLost."""
        await self._write([])

    async def release(self) -> None:
        await self._client.eval(GIVE_BACK, 1, keys.LEASE, self._owner)

    async def load(self) -> Stored | None:
        """None where nothing, or nothing of this format, is stored."""
        state, generation, frames, markets = await (
            self._client.pipeline()
            .get(keys.STATE)
            .get(keys.GENERATION)
            .lrange(keys.FRAMES, 0, -1)
            .hgetall(keys.MARKETS)
            .execute()
        )
        if state is None or generation is None:
            return None
        try:
            feeds = Feeds(msgspec.json.decode(state, type=FeedsState))
            for symbol, blob in markets.items():
                market = feeds.markets[symbol.decode()]
                await self._load_market(market, msgspec.json.decode(blob, type=MarketState))
        except (msgspec.MsgspecError, KeyError):
            return None
        pairs = zip(frames[::2], frames[1::2], strict=True)
        messages = [Message(channel.decode(), data) for channel, data in pairs]
        return Stored(generation.decode(), messages, feeds)

    async def _load_market(self, market: MarketFeed, state: MarketState) -> None:
        bids, asks, candles, minutes = await (
            self._client.pipeline()
            .hgetall(keys.side(market.symbol, "bids"))
            .hgetall(keys.side(market.symbol, "asks"))
            .hgetall(keys.candles(market.symbol))
            .hgetall(keys.minutes(market.symbol))
            .execute()
        )
        state.candles = {
            interval.decode(): msgspec.json.decode(candle, type=LiveCandle)
            for interval, candle in candles.items()
        }
        market.restore(
            state,
            {int(price): int(quantity) for price, quantity in bids.items()},
            {int(price): int(quantity) for price, quantity in asks.items()},
            [msgspec.json.decode(minute, type=Minute) for minute in minutes.values()],
        )

    async def begin(self, feeds: Feeds) -> str:
        """Store everything anew, in the place of all that was there; the new generation."""
        kept = {keys.LEASE.encode(), keys.EPOCH.encode()}
        found = [key async for key in self._client.scan_iter(keys.ALL) if key not in kept]
        old = [key.decode() for key in found]
        generation = secrets.token_hex(8)
        for market in feeds.markets.values():
            market.dirty = market.dirty_candles = True
            market.dirty_bids.update(market.bids.quantities)
            market.dirty_asks.update(market.asks.quantities)
            market.window.dirty = {minute.open_time: minute for minute in market.window.minutes}
        commands: list[Command] = [["DEL", *chunk] for chunk in _chunks(old)]
        commands += [["SET", keys.GENERATION, generation]]
        await self._write([*commands, *_changes(feeds)])
        _stored(feeds)
        return generation

    async def write(
        self, feeds: Feeds, messages: Sequence[Message], unheard: Iterable[str] = ()
    ) -> Listeners:
        """Store everything that changed, and publish. Nothing of it happens where somebody listens
        to one of the `unheard` channels, of which there are no messages. Raises LeaseLost."""
        listeners = await self._write([_NO_FRAMES, *_changes(feeds)], messages, unheard)
        if not listeners.joined:
            _stored(feeds)
        return listeners

    async def publish_again(self, messages: Sequence[Message]) -> None:
        """What was stored. Raises LeaseLost."""
        await self._write([_NO_FRAMES], messages)

    async def _write(
        self,
        commands: list[Command],
        messages: Sequence[Message] = (),
        unheard: Iterable[str] = (),
    ) -> Listeners:
        joined, left = await self._fenced(
            _WRITE,
            (keys.LEASE, keys.EPOCH, keys.FRAMES),
            self._lease_ms,
            _pack(commands),
            _pack(list(_chunks(unheard))),
            MESSAGES_A_SCRIPT,
            *chain.from_iterable(messages),
        )
        if not joined:
            for part in _chunks(messages[MESSAGES_A_SCRIPT:]):
                await self._fenced(_PUBLISH, (keys.LEASE, keys.EPOCH), *chain.from_iterable(part))
        return Listeners([name.decode() for name in joined], [name.decode() for name in left])

    async def _fenced(self, script: str, names: Sequence[str], *arguments: Any) -> Any:
        """What a script answers that begins with a fence. Raises LeaseLost."""
        try:
            return await self._client.eval(
                script, len(names), *names, self._epoch, self._owner, *arguments
            )
        except redis.ResponseError as error:
            if str(error).startswith(FENCED):
                raise LeaseLost(str(error)) from error
            raise


_NO_FRAMES: Final[Command] = ["DEL", keys.FRAMES]
"""Before those of this step are added."""


def _encode(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _stored(feeds: Feeds) -> None:
    feeds.numbers.clear()
    for market in feeds.markets.values():
        if market.is_dirty:
            market.stored()


def _changes(feeds: Feeds) -> Iterator[Command]:
    yield ["SET", keys.STATE, _encode(feeds.state)]
    for numbers in _chunks(feeds.numbers.items()):
        yield ["HSET", keys.NUMBERS, *(str(part) for pair in numbers for part in pair)]
    for market in feeds.markets.values():
        if not market.is_dirty:
            continue
        symbol, window = market.symbol, market.window
        if market.dirty:
            yield [
                "HSET",
                keys.MARKETS,
                symbol,
                _encode(structs.replace(market.state(), candles={})),
            ]
            yield ["HSET", keys.PHASES, symbol, market.phase.value]
            yield ["SET", keys.number(symbol), str(market.number)]
            yield from _level_changes(symbol, "bids", market.bids, market.dirty_bids)
            yield from _level_changes(symbol, "asks", market.asks, market.dirty_asks)
        if market.dirty_candles:
            yield from _candles(market)
        if market.dirty_candles or window.expired:
            yield ["HSET", keys.TICKERS, symbol, _encode(window.statistics())]
        for minute in window.dirty.values():
            yield ["HSET", keys.minutes(symbol), str(minute.open_time), _encode(minute)]
        for expired in _chunks([str(open_time) for open_time in window.expired]):
            yield ["HDEL", keys.minutes(symbol), *expired]


def _candles(market: MarketFeed) -> Iterator[Command]:
    stored: list[str] = []
    for interval, candle in market.candles.newest.items():
        stored += (interval.value, _encode(candle))
    if stored:
        yield ["HSET", keys.candles(market.symbol), *stored]


def _level_changes(symbol: str, name: str, side: BookSide, dirty: set[int]) -> Iterator[Command]:
    quantities = side.quantities
    standing = [price for price in dirty if price in quantities]
    gone = [keys.price_text(price) for price in dirty if price not in quantities]
    for prices in _chunks(standing):
        levels: list[str] = []
        scored: list[str] = []
        for price in prices:
            text = keys.price_text(price)
            levels += (text, str(quantities[price]))
            scored += ("0", text)
        yield ["HSET", keys.side(symbol, name), *levels]
        yield ["ZADD", keys.prices(symbol, name), *scored]
    for chunk in _chunks(gone):
        yield ["HDEL", keys.side(symbol, name), *chunk]
        yield ["ZREM", keys.prices(symbol, name), *chunk]


def _chunks(values: Iterable[Any]) -> Iterator[list[Any]]:
    iterator = iter(values)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk
