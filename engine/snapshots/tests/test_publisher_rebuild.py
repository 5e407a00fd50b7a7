"""A publisher that lost everything goes on from a snapshot, though the journal was trimmed."""

from typing import Any

import pytest
from asgiref.sync import async_to_sync

from engine.connections import connect_plain
from engine.core.commands import SetPhase
from engine.core.types import Phase
from engine.intervals import Interval
from engine.models import Snapshot
from engine.publisher import keys, reader
from engine.publisher.feeds import Feeds
from engine.publisher.tests.test_publisher import Setting, World
from engine.snapshots.past import DatabasePast
from engine.snapshots.tests.scene import Scene
from exchange_site.servers.addresses import ServerAddresses

SYMBOL = "ABCUSD"


def publish(scene: Scene, servers: ServerAddresses, world: World, *, steps: int = 0) -> None:
    """One life of a publisher."""

    @async_to_sync
    async def live() -> None:
        async with (
            connect_plain(servers.engine_redis_url) as journal,
            connect_plain(servers.redis_url) as shared,
        ):
            setting = Setting(journal, shared, world, DatabasePast())
            setting.now = scene.clock.now + 1_000
            publisher = await setting.publisher()
            for _ in range(steps):
                await setting.step(publisher)

    live()


def shown() -> list[Any]:
    """What everybody reads of the publisher."""
    candles = [reader.read_candle(SYMBOL, interval) for interval in Interval]
    return [reader.read_depth(SYMBOL, 5_000), reader.read_statistics(), candles]


def history(scene: Scene) -> list[Any]:
    """What a publisher shows that saw every entry since the first."""
    feeds = Feeds()
    for entry in scene.records.read_archive_after(0):
        feeds.apply(entry, tell=False)
    for entry in scene.stream.read_after(feeds.state.sequence):
        feeds.apply(entry, tell=False)
    market = feeds.markets[SYMBOL]
    bids, asks = market.bids.top(5_000), market.asks.top(5_000)
    depth = reader.Depth(market.number, bids, asks, market.phase)
    candles = [market.candles.newest[interval] for interval in Interval]
    return [depth, {SYMBOL: market.window.statistics()}, candles]


@pytest.mark.parametrize("newest_is_lost", [False, True])
def test_books_counters_candles_and_statistics_come_back(
    scene: Scene, servers: ServerAddresses, newest_is_lost: bool
) -> None:
    scene.trade(60)
    scene.snapshot()
    scene.trade(20)
    scene.archive_and_trim()
    scene.trade(10)
    expected = history(scene)
    if newest_is_lost:  # then the older one and the archive
        Snapshot.objects.latest("id").delete()
    scene.shared.flushall()
    world = World(scene.shared)
    publish(scene, servers, world)
    assert not world.sent
    assert shown() == expected
    scene.trade(30)
    publish(scene, servers, world, steps=1)
    frames = world.follower.texts[f"{SYMBOL.lower()}@depth@100ms"]
    assert frames[0]["U"] == expected[0].number + 1, "depth goes on without a gap"
    trades = world.follower.texts[f"{SYMBOL.lower()}@trade"]
    assert trades[0]["t"] == expected[1][SYMBOL].last_id + 1


def test_a_halted_market_comes_back_halted(scene: Scene, servers: ServerAddresses) -> None:
    scene.trade(20)
    scene.do(SetPhase(SYMBOL, Phase.HALTED))
    scene.archive_and_trim()
    scene.trade(5)
    expected = history(scene)
    scene.shared.flushall()
    publish(scene, servers, World(scene.shared))
    assert reader.read_depth(SYMBOL, 1).phase is Phase.HALTED
    assert shown() == expected


def test_a_position_that_was_trimmed_away_begins_anew(
    scene: Scene, servers: ServerAddresses
) -> None:
    """The shared Redis may come back older than it was; the journal does not."""
    world = World(scene.shared)
    publish(scene, servers, world, steps=1)
    first, state = scene.shared.get(keys.GENERATION), scene.shared.get(keys.STATE)
    assert state is not None
    scene.trade(30)
    scene.archive_and_trim()
    scene.shared.set(keys.STATE, state)
    publish(scene, servers, world)
    assert scene.shared.get(keys.GENERATION) != first
    assert shown()[0] == history(scene)[0]
