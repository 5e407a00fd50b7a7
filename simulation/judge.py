"""What must be true, whatever happened. It sees everything and takes part in nothing."""

from typing import TYPE_CHECKING, Any

from engine.core.commands import Command, Malformed, PlaceOrder, Poison
from engine.core.events import Deposited, Event, OrderUpdated
from engine.core.queries import GetBalances, GetDepth, GetOpenOrders, GetOrder, GetState, Query
from engine.core.rejections import Code
from engine.core.replies import Refused, Reply
from engine.core.snapshot import encode_snapshot, take_snapshot
from engine.core.tests.exchange import MARKET
from engine.journal import EncodedEntry
from engine.projector.rows import Rows
from engine.projector.writer import ARCHIVE, LEDGER
from engine.publisher import keys
from engine.publisher.streams import SPEEDS_MS, depth_stream
from engine.snapshots.codec import OpenSnapshot
from engine.wire import decode_address, decode_origins, decode_replies, open_envelope
from engine.worker.history import History
from engine.worker.loader import load_replica
from engine.worker.recovery import JournalBroken, Replica
from simulation.memory_database import MemoryRecords, Tables

if TYPE_CHECKING:
    from simulation.world import World

_QUERIES = (GetOrder, GetOpenOrders, GetBalances, GetDepth, GetState)
Origin = tuple[str, int]


class Unjust(AssertionError):
    """A promise was broken; says which."""


def demand(is_true: bool, promise: str) -> None:
    if not is_true:
        raise Unjust(promise)


class Judge:
    def __init__(self, world: "World") -> None:
        self._world = world
        self.reference = Replica()
        """Follows the journal entry by entry, as they are appended."""
        self._asked: dict[Origin, Command | Query] = {}
        self._accepted: set[Origin] = set()
        self._refused: set[Origin] = set()
        self._lost: set[Origin] = set()
        self._journalled: dict[Origin, tuple[int, Reply]] = {}
        self._placed: dict[str, int] = {}
        self._credited: set[str] = set()
        self._generation = ""
        self._frames: dict[str, tuple[int, dict[int, str]]] = {}
        self.answers = 0

    # What clients did.

    def asks(self, client: str, request_id: int, message: Command | Query) -> None:
        self._asked[client, request_id] = message

    def was_accepted(self, client: str, request_id: int) -> None:
        self._accepted.add((client, request_id))

    def was_refused(self, client: str, request_id: int) -> None:
        self._refused.add((client, request_id))

    def were_lost(self, envelopes: list[bytes]) -> None:
        """They waited in the queue of a Redis that went down: nobody was told that they stand."""
        for envelope in envelopes:
            address = decode_address(open_envelope(envelope)[0])
            self._lost.add((address.reply_to, address.request_id))

    # The journal.

    def entry_appended(self, entry: EncodedEntry) -> None:
        number, reference = entry.sequence, self.reference
        before = [other.sequence for other in self._world.redis.journal[-2:-1]]
        demand(before in ([], [number - 1]), f"entry {number} stands behind {before}")
        demand(number == reference.sequence + 1, f"entry {number} follows {reference.sequence}")
        demand(entry.epoch == self._world.redis.epoch, f"entry {number} is not the leader's")
        demand(entry.time >= reference.engine.time, f"time runs backwards in entry {number}")
        try:
            reference.apply(entry)
        except JournalBroken as broken:
            raise Unjust(str(broken)) from broken
        self._note_replies(entry)
        for caused in entry.decode_events():
            self._check_events(caused)
        for asset, totals in reference.engine.accounts.totals().items():
            demand(sum(totals) == 0, f"{asset} does not sum to zero after entry {number}")

    def _note_replies(self, entry: EncodedEntry) -> None:
        commands = entry.decode_commands()
        origins = decode_origins(entry.origins)
        demand(len(commands) == len(origins), "a command has no origin")
        for command, origin in zip(commands, origins, strict=True):
            demand(origin is not None, "a command comes from nowhere")
            assert origin is not None
            self._check_command((origin.reply_to, origin.request_id), command)
        for client, text in self.reference.last_replies().items():
            for request_id, reply in decode_replies(text).replies:
                self._journalled[client, request_id] = entry.sequence, reply
                self._check_expiry(client, request_id, entry.time, reply)

    def _check_command(self, origin: Origin, command: Command) -> None:
        demand(origin in self._asked, f"{origin} was never asked")
        demand(origin not in self._refused, f"{origin} was refused, and takes effect")
        demand(origin not in self._journalled, f"{origin} was asked once, and is done twice")
        as_asked = command == self._asked[origin] or isinstance(command, Poison)
        demand(as_asked and not isinstance(command, Malformed), f"{origin} asked for another thing")

    def _check_expiry(self, client: str, request_id: int, time: int, reply: Reply) -> None:
        asked = self._asked[client, request_id]
        if isinstance(asked, PlaceOrder) and asked.key is None and time > asked.expires_at:
            refused = isinstance(reply, Refused) and reply.code in (Code.EXPIRED, Code.POISON)
            demand(refused, f"{client, request_id} was placed too late")

    def _check_events(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Deposited):
                demand(event.key not in self._credited, f"{event.key} was credited twice")
                self._credited.add(event.key)
            elif isinstance(event, OrderUpdated):
                name = event.order.terms.client_order_id
                if name is not None:
                    first = self._placed.setdefault(name, event.order.order_id)
                    demand(first == event.order.order_id, f"{name} was placed twice")

    def was_trimmed(self) -> None:
        world = self._world
        first = world.redis.journal[0].sequence
        for who, position in (
            ("archived", world.database.position),
            ("in a snapshot", world.database.newest_kept),
            ("published", world.publishing.position()),
        ):
            demand(first <= position + 1, f"entry {first - 1} was trimmed before it was {who}")

    # What clients heard.

    def reply_sent(self, client: str, text: bytes) -> None:
        replies = decode_replies(text)
        newest = self.reference.sequence
        demand(replies.sequence <= newest, f"a reply speaks of {replies.sequence} after {newest}")
        for request_id, reply in replies.replies:
            origin = (client, request_id)
            demand(origin in self._asked, f"{origin} is answered, and was never asked")
            if not isinstance(self._asked[origin], _QUERIES):
                demand(origin in self._journalled, f"{origin} is answered before it is journalled")
                said = replies.sequence, reply
                demand(
                    said == self._journalled[origin], f"{origin} is answered otherwise than done"
                )
            self.answers += 1

    def frame_sent(self, message: dict[str, Any]) -> None:
        stream, first, last = message["stream"], message["first"], message["last"]
        if message["generation"] != self._generation:
            self._generation = message["generation"]
            self._frames.clear()
        if not first:
            return
        newest, texts = self._frames.get(stream, (first - 1, {}))
        if last <= newest:
            demand(texts.get(last) == message["text"], f"{stream} {last} was sent in two versions")
            return
        demand(first == newest + 1, f"{stream} goes on at {first} after {newest}")
        self._frames[stream] = last, texts | {last: message["text"]}
        if stream in _DEPTH_STREAMS:
            market = self.reference.engine.markets.get(MARKET)
            demand(market is not None and last <= market.depth_number, f"{stream} is ahead")

    # The end.

    def everything_was_served(self) -> None:
        for origin in self._lost:
            demand(origin not in self._journalled, f"{origin} was lost, and done")
        for origin in self._accepted - self._lost:
            done = isinstance(self._asked[origin], _QUERIES) or origin in self._journalled
            demand(done, f"{origin} was accepted, and never done")

    def all_agree(self) -> None:
        """The live engine, every way to recover, the tables and the feeds."""
        world = self._world
        expected = encode_snapshot(take_snapshot(self.reference.engine))
        records = MemoryRecords(world.database, world.publishing.position)

        def check(replica: Replica, who: str) -> None:
            demand(replica.digest == self.reference.digest, f"{who} has another digest")
            state = encode_snapshot(take_snapshot(replica.engine))
            demand(state == expected, f"{who} has another state")

        leaders = [engine.worker for engine in world.engines if engine.leads]
        demand(len(leaders) == 1, f"{len(leaders)} engines lead")
        assert leaders[0] is not None
        check(leaders[0]._replica, "the live engine")
        history = History(world.redis, records)
        try:
            first = Replica()
            first.follow(history.read_after(0))
            check(first, "a replay from the first entry")
            newest = load_replica(world.redis, records)
            newest.follow(world.redis.read_after(newest.sequence))
            check(newest, "an engine that starts now")
            for snapshot in world.database.good_snapshots():
                check(_recover(snapshot, history), f"the snapshot of {snapshot.header.sequence}")
        except JournalBroken as broken:
            raise Unjust(str(broken)) from broken
        self._tables_agree(list(history.read_after(0)))
        self._feeds_agree()

    def _tables_agree(self, journal: list[EncodedEntry]) -> None:
        database = self._world.database
        rows, replayed = Rows(), Tables()
        for entry in journal:
            rows.add(entry)
        replayed.write(rows)
        demand(len(database.archive) == len(journal), "the archive is not the journal")
        for table, expected in replayed.rows.items():
            demand(database.tables.rows.get(table, {}) == expected, f"{table} is not as replayed")
        demand(len(database.tables.rows.get(ARCHIVE.table, {})) == len(journal), "archive rows")
        self._ledger_agrees()

    def _ledger_agrees(self) -> None:
        """By the ledger, each account has what the engine says, and nothing came from nowhere."""
        engine = self.reference.engine
        ledger: dict[tuple[str, int | None, str], int] = {}
        total: dict[str, int] = {}
        for row in self._world.database.tables.rows.get(LEDGER.table, {}).values():
            scale = engine.markets.assets[row.asset].scale
            whole, _, rest = row.amount.partition(".")
            amount = int(whole + rest.ljust(scale, "0")[:scale])
            place = (row.account_kind, row.account, row.asset)
            ledger[place] = ledger.get(place, 0) + amount
            total[row.asset] = total.get(row.asset, 0) + amount
        demand(not any(total.values()), "the ledger does not sum to zero")
        for account in engine.accounts:
            for balance in account.balances.values():
                owned = balance.available + balance.locked
                place = ("user", account.number, balance.asset)
                demand(ledger.get(place, 0) == owned, f"the ledger of {place} is not the engine's")

    def _feeds_agree(self) -> None:
        shared = self._world.publishing.shared
        market = self.reference.engine.markets.get(MARKET)
        assert market is not None
        number = int(shared.values.get(keys.number(MARKET), b"0"))
        demand(number == market.depth_number, "the published depth has another number")
        for name, side in (("bids", market.book.bids), ("asks", market.book.asks)):
            found = shared.hashes.get(keys.side(MARKET, name), {})
            published = {int(price): int(quantity) for price, quantity in found.items()}
            demand(published == {level.price: level.quantity for level in side}, f"other {name}")


_DEPTH_STREAMS = {depth_stream(MARKET, speed) for speed in SPEEDS_MS}


def _recover(snapshot: OpenSnapshot, history: History) -> Replica:
    replica = snapshot.replica()
    replica.follow(history.read_after(replica.sequence))
    return replica
