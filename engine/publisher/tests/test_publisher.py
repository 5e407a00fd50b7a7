"""The publisher on real servers: killed anywhere, its successor completes what it began."""

from collections.abc import AsyncIterator, Awaitable, Callable
from enum import Enum
from random import Random
from typing import Any

import msgspec
import pytest
import redis
import redis.asyncio
from django.core.management import CommandError, call_command

from engine.connections import connect_plain
from engine.core.events import DepthChanged, Traded
from engine.core.tests.exchange import ALICE, BOB
from engine.intervals import Interval
from engine.journal import JOURNAL_KEY, EncodedEntry
from engine.publisher import keys, reader, store
from engine.publisher.feeds import Feeds, Frame, JournalGap
from engine.publisher.publisher import OtherJournal, Past, Publisher
from engine.publisher.reset import forget_feeds
from engine.publisher.store import _PUBLISH, FeedStore, LeaseLost
from engine.publisher.streams import (
    PARTIAL_LEVELS,
    SPEEDS_MS,
    TICKERS,
    depth_stream,
    group_of,
    kline_stream,
    market_stream,
    partial_stream,
    user_stream,
)
from engine.publisher.tests.journal import (
    START_MS,
    SYMBOL,
    Follower,
    entries_of,
    random_exchange,
    wire_book,
)
from engine.tests.journals import append
from exchange_site.servers.addresses import ServerAddresses

PATIENCE_S = 10.0


class Killed(Exception):
    pass


EVERYTHING = [
    *(market_stream(SYMBOL, kind) for kind in ("trade", "aggTrade", "bookTicker", "ticker")),
    *(depth_stream(SYMBOL, speed) for speed in SPEEDS_MS),
    *(partial_stream(SYMBOL, levels, speed) for levels in PARTIAL_LEVELS for speed in SPEEDS_MS),
    *(kline_stream(SYMBOL, interval) for interval in Interval),
    *(user_stream(account) for account in (ALICE, BOB)),
    TICKERS,
]


class World:
    """Who listens, on a connection of its own; everybody listens to `EVERYTHING`."""

    def __init__(self, shared: "redis.Redis") -> None:
        self.follower = Follower()
        self.sent = 0
        self.generations: set[str] = set()
        self._listening: Any = shared.pubsub()
        self._listening.subscribe("the world")  # one without subscriptions is not answered
        self.listen(*EVERYTHING)

    def channel_of(self, group: str) -> str:
        return f"group-{group}"

    def serialize(self, message: dict[str, Any]) -> bytes:
        return msgspec.msgpack.encode(message)

    def listen(self, *streams: str) -> None:
        self._listening.subscribe(*(self.channel_of(group_of(stream)) for stream in streams))
        self.hear()

    def forget(self, *streams: str) -> None:
        self._listening.unsubscribe(*(self.channel_of(group_of(stream)) for stream in streams))
        self.hear()

    def hear(self) -> None:
        """What was published so far."""
        self._listening.ping()
        while (found := self._listening.get_message(timeout=PATIENCE_S))["type"] != "pong":
            if found["type"] == "message":
                self._take(msgspec.msgpack.decode(found["data"]))

    def _take(self, message: dict[str, Any]) -> None:
        self.generations.add(message["generation"])
        self.follower.take(Frame(*(message[f] for f in ("stream", "first", "last", "text"))))
        self.sent += 1

    def close(self) -> None:
        self._listening.close()


class Moment(Enum):
    """When a publisher is killed: around the script that stores and publishes, or before the one
    that publishes what is too much for the first."""

    BEFORE = "before"
    AFTER = "after"
    BETWEEN = "between"


class Fragile:
    """The shared Redis of a publisher who may be killed."""

    def __init__(self, shared: "redis.asyncio.Redis") -> None:
        self._shared = shared
        self.dies: Moment | None = None
        self.stalls: Callable[[], Awaitable[None]] | None = None
        """What happens, once, before the script that publishes the rest."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._shared, name)

    async def eval(self, script: str, *arguments: Any) -> Any:
        if self.dies is Moment.BEFORE or (self.dies is Moment.BETWEEN and script == _PUBLISH):
            raise Killed
        if script == _PUBLISH and (stalls := self.stalls):
            self.stalls = None
            await stalls()
        answer = await self._shared.eval(script, *arguments)
        if self.dies is Moment.AFTER:
            raise Killed
        return answer


class NoPast:
    """Neither a snapshot nor an archive: the stream holds the journal from its first entry on."""

    async def newest_feeds(self) -> Feeds | None:
        return None

    async def read_archive_after(self, sequence: int) -> list[EncodedEntry]:
        return []


class Setting:
    """Publishers, one after the other, on the same servers and under the same clock."""

    def __init__(
        self,
        journal: "redis.asyncio.Redis",
        shared: "redis.asyncio.Redis",
        world: World,
        past: Past,
    ) -> None:
        self.journal, self.shared, self.world, self.past = journal, shared, world, past
        self.now = START_MS
        self.fragile: Any = Fragile(shared)

    async def publisher(self) -> Publisher:
        await self.shared.delete(keys.LEASE)  # the one of who was killed has run out
        self.fragile.dies = None
        kept = FeedStore(self.fragile)
        assert await kept.acquire()
        publisher = Publisher(self.journal, kept, self.world, self.past, lambda: self.now)
        await publisher.recover()
        self.world.hear()
        return publisher

    async def step(self, publisher: Publisher) -> None:
        try:
            await publisher.step()
        finally:
            self.world.hear()


@pytest.fixture
async def setting(
    servers: ServerAddresses, engine_redis: "redis.Redis", shared_redis: "redis.Redis"
) -> AsyncIterator[Setting]:
    world = World(shared_redis)
    async with (
        connect_plain(servers.engine_redis_url) as journal,
        connect_plain(servers.redis_url) as shared,
    ):
        yield Setting(journal, shared, world, NoPast())
    world.close()


@pytest.mark.parametrize("seed", range(6))
async def test_killed_at_random(
    setting: Setting, engine_redis: "redis.Redis", seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MESSAGES_A_SCRIPT", 5)
    chance = Random(seed)
    exchange = random_exchange(seed, orders=150)
    waiting, world = entries_of(exchange, chance), setting.world
    publisher = await setting.publisher()
    kills = 0
    while waiting or publisher._feeds.batching():
        taken = waiting[: chance.randint(0, 6)]
        del waiting[: len(taken)]
        append(engine_redis, taken)
        if chance.random() < 0.3:
            setting.fragile.dies = chance.choice(list(Moment))
        setting.now += chance.choice((1, 30, 100, 1_000))
        try:
            await setting.step(publisher)
        except Killed:
            kills += 1
            publisher = await setting.publisher()
        assert_depth_is_as_new_as_any_frame(world)
    assert kills
    assert len(world.generations) == 1
    for speed in ("", "@100ms"):
        assert world.follower.books[f"{SYMBOL}@depth{speed}"] == wire_book(exchange)
    depth = reader.read_depth("ABCUSD", 5000)
    expected = exchange.depth()
    assert depth.number == len(exchange.of_kind(DepthChanged))
    assert (depth.bids, depth.asks) == (expected["bids"], expected["asks"])
    trades = world.follower.texts[f"{SYMBOL}@trade"]
    assert [t["t"] for t in trades] == list(range(1, len(trades) + 1))


def assert_depth_is_as_new_as_any_frame(world: World) -> None:
    told = world.follower.last.get(f"{SYMBOL}@depth@100ms")
    if told is not None:
        assert reader.read_depth("ABCUSD", 1).number >= told


async def test_without_a_stored_state_it_begins_anew_in_silence(
    setting: Setting, engine_redis: "redis.Redis"
) -> None:
    exchange = random_exchange(3)
    append(engine_redis, entries_of(exchange, Random(3)))
    publisher = await setting.publisher()
    assert not setting.world.sent
    depth = reader.read_depth("ABCUSD", 5000)
    assert (depth.bids, depth.asks) == tuple(exchange.depth().values())
    await setting.step(publisher)
    assert not [s for s in setting.world.follower.texts if "trade" in s or "depth" in s]


async def test_what_another_format_left_is_not_gone_on_from(
    setting: Setting,
    engine_redis: "redis.Redis",
    shared_redis: "redis.Redis",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An upgrade, and back: each version makes the feeds anew, with the candles that are open."""
    append(engine_redis, entries_of(random_exchange(3), Random(3)))
    await setting.publisher()
    candle = reader.read_candle("ABCUSD", Interval.MONTH)
    assert candle is not None
    generations = {shared_redis.get(keys.GENERATION)}
    for state in ("feed:state", keys.STATE):
        shared_redis.delete(keys.candles("ABCUSD"))
        shared_redis.rpush("feed:outbox", "frames as they were sent once")
        monkeypatch.setattr(keys, "STATE", state)
        await setting.publisher()
        assert reader.read_candle("ABCUSD", Interval.MONTH) == candle
        assert not shared_redis.exists("feed:outbox")
        assert shared_redis.keys("feed:state*") == [state.encode()]
        generations.add(shared_redis.get(keys.GENERATION))
    assert len(generations) == 3
    assert not setting.world.sent


@pytest.mark.parametrize("left", [0, 1, 5])
async def test_a_journal_that_lost_its_end_halts(
    setting: Setting, engine_redis: "redis.Redis", shared_redis: "redis.Redis", left: int
) -> None:
    """Whoever began anew would overwrite the only account of what the journal held."""
    entries = entries_of(random_exchange(3), Random(3))
    append(engine_redis, entries)
    await setting.publisher()
    before = reader.read_status(shared_redis)
    assert (before.sequence, before.digest) == (entries[-1].sequence, entries[-1].digest)
    engine_redis.flushall()
    append(engine_redis, entries[:left])
    for _ in range(2):
        with pytest.raises(OtherJournal, match=r"docs/FAILURES\.md"):
            await setting.publisher()
    assert reader.read_status(shared_redis) == before
    append(engine_redis, entries[left:])
    await setting.publisher()


async def test_a_longer_journal_of_another_exchange_halts(
    setting: Setting, engine_redis: "redis.Redis"
) -> None:
    append(engine_redis, entries_of(random_exchange(4, orders=5), Random(4), most=50))
    await setting.publisher()
    engine_redis.flushall()
    append(engine_redis, entries_of(random_exchange(3), Random(3)))
    with pytest.raises(OtherJournal, match="another journal"):
        await setting.publisher()


async def test_another_journal_that_is_meant_is_another_generation(
    setting: Setting, engine_redis: "redis.Redis", shared_redis: "redis.Redis"
) -> None:
    append(engine_redis, entries_of(random_exchange(3), Random(3)))
    running = await setting.publisher()
    first = await setting.shared.get(keys.GENERATION)
    engine_redis.flushall()
    append(engine_redis, entries_of(random_exchange(4, orders=5), Random(4), most=50))
    assert forget_feeds(shared_redis) == running._feeds.state.sequence
    with pytest.raises(LeaseLost):
        await setting.step(running)
    await setting.publisher()
    assert await setting.shared.get(keys.GENERATION) != first
    depth = reader.read_depth("ABCUSD", 5000)
    assert (depth.bids, depth.asks) == tuple(random_exchange(4, orders=5).depth().values())


async def test_a_gap_that_nothing_fills_halts(
    setting: Setting, engine_redis: "redis.Redis"
) -> None:
    append(engine_redis, entries_of(random_exchange(3), Random(3)))
    engine_redis.xtrim(JOURNAL_KEY, minid="5-0", approximate=False)
    with pytest.raises(JournalGap):
        await setting.publisher()


@pytest.mark.parametrize("later_one", [True, False])
async def test_depth_waits_for_the_last_entries_of_its_interval(
    setting: Setting, engine_redis: "redis.Redis", later_one: bool
) -> None:
    """Unless a later one has come, or it would be for too long."""
    stream = f"{SYMBOL}@depth@100ms"
    entries = entries_of(random_exchange(3), Random(3))

    async def tells(at: int, entry_time: int | None = None) -> bool:
        if entry_time is not None:
            entry = msgspec.structs.replace(entries.pop(0), time=START_MS + entry_time)
            append(engine_redis, [entry])
        told = len(setting.world.follower.texts.get(stream, ()))
        setting.now = START_MS + at
        await setting.step(publisher)
        return len(setting.world.follower.texts.get(stream, ())) > told

    first = next(n for n, entry in enumerate(entries) if b"depth_changed" in entry.events)
    append(engine_redis, [msgspec.structs.replace(e, time=START_MS) for e in entries[:first]])
    del entries[:first]
    publisher = await setting.publisher()
    await tells(50, 50)
    assert not await tells(95, 90)
    assert not await tells(103)
    assert not await tells(104, 99)
    if later_one:
        assert await tells(105, 101)
    else:
        assert not await tells(109)
        assert await tells(110)


async def test_who_lost_the_lease_writes_nothing(
    setting: Setting, engine_redis: "redis.Redis"
) -> None:
    stalled = await setting.publisher()
    successor = await setting.publisher()
    append(engine_redis, entries_of(random_exchange(3), Random(3)))
    with pytest.raises(LeaseLost):
        await setting.step(stalled)
    assert not setting.world.sent
    await setting.step(successor)
    assert setting.world.sent


async def test_who_is_succeeded_in_the_midst_of_many_frames_tells_no_more(
    setting: Setting, engine_redis: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest is its successor's to tell, before anything that is newer."""
    monkeypatch.setattr(store, "MESSAGES_A_SCRIPT", 5)
    stalled, world = await setting.publisher(), setting.world
    append(engine_redis, entries_of(random_exchange(3), Random(3)))
    sent: list[int] = []

    async def succeed() -> None:
        await setting.publisher()
        sent.append(world.sent)

    setting.fragile.stalls = succeed
    with pytest.raises(LeaseLost):
        await setting.step(stalled)
    assert sent == [world.sent]
    trades = [trade["t"] for trade in world.follower.texts[f"{SYMBOL}@trade"]]
    assert trades == list(range(1, len(trades) + 1))


async def test_whoever_subscribed_before_a_step_is_told(
    setting: Setting, engine_redis: "redis.Redis"
) -> None:
    """Although nobody listened at the last one; and nothing is written for who is gone."""
    entries = entries_of(random_exchange(3), Random(3))
    world, stream = setting.world, f"{SYMBOL}@trade"
    world.forget(stream)
    publisher = await setting.publisher()
    expected, told = 0, world.follower.texts
    for number, entry in enumerate(entries):
        trades = sum(isinstance(e, Traded) for events in entry.decode_events() for e in events)
        append(engine_redis, [entry])
        if listens := bool(number // 3 % 2):
            world.listen(stream)
        else:
            world.forget(stream)
            world.follower.last.pop(stream, None)  # a new reader may begin anywhere
        await setting.step(publisher)
        expected += trades * listens
        assert len(told.get(stream, ())) == expected
    assert expected
    world.forget(*EVERYTHING)
    await setting.step(publisher)
    before = world.sent
    await setting.step(publisher)
    assert world.sent == before


async def test_what_nobody_answers_ends_the_publisher(
    setting: Setting, engine_redis: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = await setting.publisher()
    await setting.step(publisher)
    monkeypatch.setattr(setting.journal, "patience_s", 0.05)  # less than it waits for entries
    with pytest.raises(redis.TimeoutError):
        await publisher.step()
    monkeypatch.undo()
    append(engine_redis, entries_of(random_exchange(3), Random(3)))
    await setting.step(await setting.publisher())
    assert setting.world.sent


async def test_a_lease_that_lapsed_is_still_its_own(
    setting: Setting, engine_redis: "redis.Redis"
) -> None:
    publisher = await setting.publisher()
    await setting.shared.delete(keys.LEASE)
    append(engine_redis, entries_of(random_exchange(3), Random(3)))
    await setting.step(publisher)
    assert setting.world.sent


async def test_prices_beyond_floats_stand_in_order(shared_redis: "redis.Redis") -> None:
    prices = [2**63 - 1, 2**53 + 1, 2**53, 7]
    for price in prices:
        shared_redis.hset(keys.side("X", "bids"), keys.price_text(price), "1")
        shared_redis.zadd(keys.prices("X", "bids"), {keys.price_text(price): 0})
    shared_redis.set(keys.number("X"), 4)
    assert [price for price, _ in reader.read_depth("X", 3).bids] == prices[:3]


def test_groups_elsewhere_than_the_feeds_are_refused(settings: Any) -> None:
    """One script stores and publishes, on one server."""
    layer: Any = settings.CHANNEL_LAYERS["default"]
    elsewhere = layer | {"CONFIG": {"hosts": ["redis://elsewhere"]}}
    settings.CHANNEL_LAYERS = {"default": elsewhere}
    with pytest.raises(CommandError, match="REDIS_URL"):
        call_command("run_publisher")
