"""Journals of a small exchange that really traded, and clients that follow the frames."""

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from engine.core.commands import Command
from engine.core.digest import GENESIS, roll
from engine.core.events import Event
from engine.core.replies import OrderReply, Reply
from engine.core.tests.exchange import ALICE, BOB, Exchange
from engine.core.types import BUY, SELL
from engine.journal import EncodedEntry
from engine.publisher.feeds import Feeds, Frame

START_MS = 1_760_000_000_000
SYMBOL = "abcusd"


class JournalledExchange(Exchange):
    """Both assets have scale 0: an amount of 3 is "3.00000000" on the wire."""

    def __init__(self) -> None:
        self.commands: list[list[Event]] = []
        super().__init__()

    def do(self, command: Command) -> Reply:
        before = len(self.events)
        reply = super().do(command)
        self.commands.append(self.events[before:])
        return reply

    def trade_at_random(self, chance: Random, orders: int) -> None:
        for _ in range(orders):
            account, side = chance.choice((ALICE, BOB)), chance.choice((BUY, SELL))
            reply = self.place(account, side, chance.randint(95, 105), chance.randint(1, 9))
            if isinstance(reply, OrderReply) and chance.random() < 0.4:
                self.cancel(account, order_id=reply.order.order_id)


def random_exchange(seed: int, orders: int = 120) -> JournalledExchange:
    exchange = JournalledExchange()
    for account in (ALICE, BOB):
        exchange.fund(account, ABC=10_000, USD=1_000_000)
    exchange.trade_at_random(Random(seed), orders)
    return exchange


def entries_of(
    exchange: JournalledExchange, chance: Random, *, after: int = 0, most: int = 5
) -> list[EncodedEntry]:
    """The exchange's events as entries of one to `most` commands, some time apart."""
    entries: list[EncodedEntry] = []
    digest = GENESIS
    commands, time = exchange.commands, START_MS
    position = 0
    while position < len(commands):
        size = chance.randint(1, most)
        events = msgspec.json.encode(commands[position : position + size])
        digest = roll(digest, b"[]", events)
        entries.append(
            EncodedEntry(
                sequence=after + len(entries) + 1,
                epoch=1,
                core=1,
                time=time,
                commands=b"[]",
                events=events,
                digest=digest,
            )
        )
        position += size
        time += chance.choice((0, 3, 40, 900, 70_000))
    return entries


def everything(_stream: str) -> bool:
    return True


def take_frames(
    feeds: Feeds,
    now: int,
    speeds: frozenset[int],
    wanted: Callable[[str], bool] = everything,
) -> list[Frame]:
    """What is due, written where somebody wants it."""
    return [
        frame
        for due in feeds.take_due(now, speeds)
        if not due.is_optional or wanted(due.stream)
        for frame in due.write()
    ]


class Follower:
    """Takes every frame as a client would. Repetitions are dropped as the broker does; a stream
    whose frames are numbered must have no gap."""

    def __init__(self) -> None:
        self.last: dict[str, int] = {}
        self.texts: dict[str, list[Any]] = {}
        self.books: dict[str, tuple[dict[str, str], dict[str, str]]] = {}
        self.repeated = 0

    def take(self, frame: Frame) -> None:
        stream, first, last, text = frame
        before = self.last.get(stream, 0)
        payload = msgspec.json.decode(text)
        if last <= before:
            assert payload in self.texts[stream], "what is repeated is repeated byte for byte"
            self.repeated += 1
            return
        if first and stream in self.last:
            assert first == before + 1, f"{stream} has a gap: {before}, then {first}"
        self.last[stream] = last
        self.texts.setdefault(stream, []).append(payload)
        if payload and isinstance(payload, dict) and payload.get("e") == "depthUpdate":
            self._update_book(stream, payload)

    def _update_book(self, stream: str, payload: Any) -> None:
        assert payload["b"] or payload["a"], "an empty event"
        assert payload["U"] <= payload["u"]
        book = self.books.setdefault(stream, ({}, {}))
        for side, changes in zip(book, (payload["b"], payload["a"]), strict=True):
            for price, quantity in changes:
                if quantity == "0.00000000":
                    side.pop(price, None)
                else:
                    side[price] = quantity


def wire_book(exchange: Exchange) -> tuple[dict[str, str], dict[str, str]]:
    depth = exchange.depth()
    bids, asks = (
        {f"{price}.00000000": f"{quantity}.00000000" for price, quantity in depth[side]}
        for side in ("bids", "asks")
    )
    return bids, asks
