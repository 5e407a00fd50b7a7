"""Those who trade: they push, wait, and where no answer comes, ask again under the same name."""

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

import msgspec

from engine.core.acceptance import complete_reply
from engine.core.commands import (
    CancelAll,
    CancelAllAfter,
    CancelOrder,
    Command,
    DefineAsset,
    Deposit,
    OrderTerms,
    PlaceOrder,
    Transfer,
)
from engine.core.queries import GetBalances, GetDepth, GetState, Query
from engine.core.replies import Reply
from engine.core.tests.exchange import MARKET, RULES
from engine.core.types import BUY, FOK, GTC, GTD, IOC, LIMIT, SELL
from engine.core.types import MARKET as AT_MARKET
from engine.intake import QUEUE_FULL
from engine.wire import decode_replies, encode_envelope
from simulation.engines import POISON
from simulation.network import ConnectionLost

if TYPE_CHECKING:
    from simulation.world import World

ACCOUNTS = (1, 2, 3)
PATIENCE_MS = 500
"""After that much time a command expires."""
TIMEOUT_MS = 700
MAX_TRIES = 3

SETUP: list[Command] = [
    DefineAsset("ABC", 0),
    DefineAsset("USD", 2),
    msgspec.structs.replace(RULES, maker_fee_ppm=-10_000, taker_fee_ppm=30_000),
    *(
        Deposit(account, asset, 100_000, f"first-{account}-{asset}")
        for account in ACCOUNTS
        for asset in ("ABC", "USD")
    ),
]


@dataclass
class Request:
    """One thing that is wanted, however often it is asked for."""

    message: Command | Query
    ids: list[int] = field(default_factory=list)
    accepted: bool = False
    """Does the queue's server say that it has it?"""
    reply: Reply | None = None
    asked_at: int = 0
    given_up: bool = False

    @property
    def is_open(self) -> bool:
        return self.reply is None and not self.given_up

    @property
    def has_key(self) -> bool:
        return getattr(self.message, "key", None) is not None


class Client:
    """A web process with a few callers, and its subscription."""

    def __init__(self, world: "World", name: str, chance: Random) -> None:
        self.world = world
        self.name = name
        self.requests: list[Request] = []
        self.is_trading = True
        self._chance = chance
        self._by_id: dict[int, Request] = {}
        self._ahead_ms = world.hours.wall_ahead_ms
        """The engine's time less the monotonic one, as the newest reply has it."""
        self._names = 0

    def step(self) -> None:
        late = [r for r in self.requests if r.is_open and self._waited_ms(r) > TIMEOUT_MS]
        for request in late:
            self._despair(request)
        waiting = sum(request.is_open for request in self.requests)
        if self.is_trading and waiting < 8:
            for _ in range(self._chance.choice((1, 1, 1, 2, 4))):
                self.ask(self._something())

    def ask(self, message: Command | Query) -> Request:
        request = Request(message)
        self.requests.append(request)
        self._push(request)
        return request

    def receive(self, text: bytes) -> None:
        replies = decode_replies(text)
        self._ahead_ms = replies.time - self.world.hours.elapsed_ms
        for request_id, reply in replies.replies:
            request = self._by_id.get(request_id)
            if request is not None and request.reply is None:
                request.reply = complete_reply(reply, request.message)

    def _waited_ms(self, request: Request) -> int:
        return self.world.hours.elapsed_ms - request.asked_at

    def _despair(self, request: Request) -> None:
        """No answer came: what has a key may be sent again, the rest is given up."""
        if not request.has_key or len(request.ids) >= MAX_TRIES:
            request.given_up = True
            return
        if isinstance(request.message, PlaceOrder):
            expires_at = self._now() + PATIENCE_MS
            request.message = msgspec.structs.replace(request.message, expires_at=expires_at)
        self._push(request)

    def _push(self, request: Request) -> None:
        request_id = len(self._by_id) + 1
        self._by_id[request_id] = request
        request.ids.append(request_id)
        request.asked_at = self.world.hours.elapsed_ms
        envelope = encode_envelope(self.name, request_id, request.message)
        network = self.world.client_network
        judge = self.world.judge
        judge.asks(self.name, request_id, request.message)
        try:
            network.before("push")
            length = self.world.parts.push(self.world.redis, envelope, network)
        except ConnectionLost:
            return
        if length == QUEUE_FULL:
            judge.was_refused(self.name, request_id)
            request.given_up = True
        else:
            judge.was_accepted(self.name, request_id)
            request.accepted = True

    def _now(self) -> int:
        return self.world.hours.elapsed_ms + self._ahead_ms

    def _something(self) -> Command | Query:
        chance = self._chance
        account = chance.choice(ACCOUNTS)
        self._names += 1
        name = f"{self.name}-{self._names}"
        dice = chance.random()
        if dice < 0.62:
            return self._order(account, name)
        if dice < 0.74:
            return CancelOrder(account, MARKET, client_order_id=self._earlier_name())
        if dice < 0.80:
            return Deposit(account, chance.choice(("ABC", "USD")), chance.randint(1, 500), name)
        if dice < 0.84:
            return Transfer(account, chance.choice(ACCOUNTS), "USD", chance.randint(1, 500), name)
        if dice < 0.86:
            return CancelAll(account)
        if dice < 0.89:
            return CancelAllAfter(account, chance.choice((0, 100, 400)))
        queries: list[Query] = [GetBalances(account), GetDepth(MARKET, 5), GetState()]
        return chance.choice(queries)

    def _order(self, account: int, name: str) -> PlaceOrder:
        chance = self._chance
        if self.world.poison and chance.random() < 0.05:
            self.world.poison -= 1
            name = f"{POISON}-{name}"
        at_market = chance.random() < 0.15
        lifetime = IOC if at_market else chance.choice((GTC, GTC, GTC, GTC, IOC, FOK, GTD))
        terms = OrderTerms(
            account=account,
            market=MARKET,
            side=chance.choice((BUY, SELL)),
            type=AT_MARKET if at_market else LIMIT,
            time_in_force=lifetime,
            price=None if at_market else 100 + chance.randint(-4, 4),
            quantity=chance.randint(1, 9),
            client_order_id=name,
            good_till=self._now() + chance.randint(50, 600) if lifetime is GTD else None,
        )
        key = name if chance.random() < 0.8 else None
        return PlaceOrder(terms, self._now() + PATIENCE_MS, key)

    def plain_order(self) -> PlaceOrder:
        """One that nothing is wrong with."""
        terms = OrderTerms(1, MARKET, BUY, LIMIT, GTC, 100, 1, client_order_id="the-last")
        return PlaceOrder(terms, self._now() + PATIENCE_MS, "the-last")

    def _earlier_name(self) -> str:
        return f"{self.name}-{self._chance.randint(1, self._names)}"
