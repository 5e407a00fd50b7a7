"""Each command sent one to three times, over a wire that loses answers, across restarts."""

import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis

from engine.client import EngineClient, EngineUnavailable, StatusUnknown
from engine.connections import connect
from engine.core.commands import CancelOrder, Command, Deposit, OrderTerms, PlaceOrder
from engine.core.events import Deposited, OrderUpdated
from engine.core.queries import GetBalances, GetOpenOrders
from engine.core.rejections import Code
from engine.core.replies import BalancesReply, Done, OrderReply, OrdersReply, Refused, Reply
from engine.core.types import BUY, GTC, LIMIT, NEW, SELL
from engine.engine_time import ENGINE_TIME
from engine.journal import read_all_after
from engine.worker.clock import SteadyClock
from engine.worker.redis_store import RedisStore
from engine.worker.tests.bench import SETUP
from engine.worker.worker import Worker
from exchange_site.servers.addresses import ServerAddresses
from exchange_site.tests.proxy import CuttableWire

ASSETS = ("ABC", "USD")
FAR = 2**53
COMMANDS = 30


@pytest.fixture
def wire(servers: ServerAddresses, engine_redis: "redis.Redis") -> Iterator[CuttableWire]:
    wire = CuttableWire(servers.engine_redis_url.removeprefix("unix://"))
    yield wire
    wire.close()


@pytest.fixture
def client(wire: CuttableWire) -> Iterator[EngineClient]:
    client = EngineClient(wire.url)
    yield client
    client.close()


@contextmanager
def running_engine(url: str) -> Iterator[None]:
    """An engine in this process, for as long as the block."""
    stop = threading.Event()
    worker = Worker(RedisStore(connect(url)), SteadyClock())
    thread = threading.Thread(target=worker.run, args=(stop.is_set,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def placement(number: int, chance: random.Random) -> PlaceOrder:
    terms = OrderTerms(
        account=chance.choice((1, 2)),
        market="ABCUSD",
        side=chance.choice((BUY, SELL)),
        type=LIMIT,
        time_in_force=GTC,
        price=chance.randint(8, 12),
        quantity=chance.randint(1, 3),
        client_order_id=f"order-{number}",
    )
    return PlaceOrder(terms, FAR, key=f"order-{number}")


def deposit(number: int) -> Deposit:
    return Deposit(1, "USD", 1, f"deposit-{number}")


def send(client: EngineClient, command: Command) -> Reply | None:
    """The answer, or None where its fate is not known."""
    try:
        return client.call(command, timeout=1.0).reply
    except (StatusUnknown, EngineUnavailable):
        return None


def send_until_answered(client: EngineClient, command: Command) -> Reply:
    while (reply := send(client, command)) is None:
        pass
    return reply


def test_each_takes_effect_once(
    client: EngineClient, wire: CuttableWire, servers: ServerAddresses, engine_redis: "redis.Redis"
) -> None:
    chance = random.Random(20)
    url = servers.engine_redis_url
    with running_engine(url):
        funds = [Deposit(account, a, 10_000, f"{account}{a}") for account in (1, 2) for a in ASSETS]
        for command in (*SETUP, *funds):
            assert send_until_answered(client, command) == Done()
    first: dict[Command, Reply] = {}
    commands: list[Command] = []
    for number in range(COMMANDS):
        commands += (placement(number, chance), deposit(number))
    wire.lose_answer = lambda _piece: chance.random() < 0.15
    for start in range(0, len(commands), 30):  # the engine restarts in between
        with running_engine(url):
            for command in commands[start : start + 30]:
                for _ in range(chance.randint(1, 3)):
                    reply = send(client, command)
                    if reply is not None:
                        assert first.setdefault(command, reply) == reply, "always the first answer"
    wire.lose_answer = lambda _piece: False
    assert wire.lost > 5, "answers were lost"
    with running_engine(url):
        for command in commands:
            reply = send_until_answered(client, command)
            assert first.setdefault(command, reply) == reply
        balances = client.call(GetBalances(1)).reply
    assert isinstance(balances, BalancesReply)
    journal = [entry.decode() for entry in read_all_after(engine_redis, 0)]
    events = [event for entry in journal for events in entry.events for event in events]
    placed = Counter(
        event.order.terms.client_order_id
        for event in events
        if isinstance(event, OrderUpdated) and event.order.status is NEW
    )
    paid = Counter(event.key for event in events if isinstance(event, Deposited))
    assert placed == Counter(f"order-{number}" for number in range(COMMANDS))
    assert all(paid[f"deposit-{number}"] == 1 for number in range(COMMANDS))
    for command, reply in first.items():
        assert isinstance(reply, Done if isinstance(command, Deposit) else OrderReply)


def test_nothing_old_trades_and_cancels_do_not_grow_old(
    client: EngineClient, servers: ServerAddresses, engine_redis: "redis.Redis"
) -> None:
    """Commands wait for an engine that was away for longer than their callers' patience."""
    url = servers.engine_redis_url
    with running_engine(url):
        for command in (*SETUP, Deposit(1, "USD", 1_000, "a"), Deposit(2, "ABC", 100, "b")):
            client.call(command)
        resting = PlaceOrder(OrderTerms(1, "ABCUSD", BUY, LIMIT, GTC, 9, 2), FAR)
        rested = client.call(resting).reply
        assert isinstance(rested, OrderReply)
        now = ENGINE_TIME.now_ms()
    late = [
        PlaceOrder(OrderTerms(2, "ABCUSD", SELL, LIMIT, GTC, 9, 1), now - 60_000, f"late-{n}")
        for n in range(20)
    ]
    waiting = client.send_all([*late, CancelOrder(1, "ABCUSD", rested.order.order_id)])
    with running_engine(url):
        *refused, canceled = [future.result(30).reply for future in waiting]
        assert all(isinstance(r, Refused) and r.code is Code.EXPIRED for r in refused)
        assert isinstance(canceled, OrderReply), "late, it is still wanted"
        again = client.call(PlaceOrder(late[0].terms, FAR, "late-0")).reply
        assert isinstance(again, Refused), "the key of a refused order stays refused"
        assert again.code is Code.EXPIRED
        assert client.call(GetOpenOrders(2)).reply == OrdersReply(())
        assert client.call(GetBalances(2)).reply == BalancesReply((("ABC", 100, 0),))
    newest = list(read_all_after(engine_redis, 0))[-1]
    assert newest.events, "refusals are journalled"


def test_a_lost_answer_to_a_push_is_never_pushed_again(
    client: EngineClient, wire: CuttableWire, servers: ServerAddresses, engine_redis: "redis.Redis"
) -> None:
    with running_engine(servers.engine_redis_url):
        send_until_answered(client, SETUP[1])
    wire.lose_answer = lambda piece: piece.startswith(b":")  # the length of the queue
    for number in range(5):
        with pytest.raises(StatusUnknown):
            client.call(deposit(number), timeout=5.0)
    wire.lose_answer = lambda _piece: False
    with running_engine(servers.engine_redis_url):
        assert client.call(GetBalances(1)).reply == BalancesReply((("USD", 5, 0),))
    commands = [c for entry in read_all_after(engine_redis, 0) for c in entry.decode_commands()]
    assert all(Counter(commands)[deposit(number)] == 1 for number in range(5))
