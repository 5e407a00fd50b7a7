"""`userDataStream.subscribe`: an account's events on the socket that asked for them.

With `after`, our own parameter, the number of the event that the client saw last: what came since
is told first. Where that is not kept any more the answer is the error RESYNC.
"""

import asyncio
import itertools
import time
from typing import Final, NamedTuple

from accounts.models import Scope
from accounts.selectors import get_credential
from engine.publisher.frames import encode
from engine.publisher.missed import TooLongAgo
from exchange_site.threads import in_thread
from markets.binance.callers import Caller
from markets.binance.errors import Words
from realtime.broker import process_broker
from realtime.client_connection import ClientConnection
from realtime.outgoing import Outgoing
from realtime.sessions import wait_for_end
from realtime.user_subscription import UserSubscription, follow

MAX_SUBSCRIPTIONS: Final = 10

RESYNC: Final = Words(-9001, "resync: what came after event {} is not kept.")
TOO_MANY: Final = Words(-2042, "Maximum subscription ID reached for this connection.")


class _Subscription(NamedTuple):
    listener: UserSubscription
    stream: str
    watch: asyncio.Task[None]
    by_session: bool


class UserData:
    """The subscriptions of one connection."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._ids = itertools.count()
        self._subscriptions: dict[int, _Subscription] = {}

    def __len__(self) -> int:
        return len(self._subscriptions)

    @property
    def ids(self) -> list[int]:
        return list(self._subscriptions)

    async def subscribe(self, caller: Caller, after: int | None, *, by_session: bool) -> int:
        """The subscription's id. Raises BinanceError, FeedUnavailable, redis.RedisError."""
        if len(self._subscriptions) >= MAX_SUBSCRIPTIONS:
            raise TOO_MANY.error()
        number = next(self._ids)
        listener = UserSubscription(
            self._connection,
            lambda text: f'{{"subscriptionId":{number},"event":{text}}}',
            session="",
            held=after is not None,
        )
        broker = process_broker()
        broker.pool.add(self._connection)  # it begins anew where messages are lost
        try:
            stream = await follow(broker, listener, caller.account, after)
        except TooLongAgo:
            raise RESYNC.error(after) from None
        watch = asyncio.create_task(self._watch(number, caller))
        self._subscriptions[number] = _Subscription(listener, stream, watch, by_session)
        return number

    async def _watch(self, number: int, caller: Caller) -> None:
        """Events end with the key that was given for them."""
        await wait_for_end(caller.account, lambda: in_thread(lambda: _account_of(caller)))
        now = time.time_ns() // 1_000_000
        ended = encode({"e": "eventStreamTerminated", "E": now})
        self._connection.offer(Outgoing(f'{{"subscriptionId":{number},"event":{ended}}}'))
        self.unsubscribe(number)

    def unsubscribe(self, number: int) -> None:
        """Nothing happens where there is none of that number: a client whose connection broke ends
        on its next one what has ended already."""
        subscription = self._subscriptions.pop(number, None)
        if subscription is None:
            return
        stream = subscription.stream
        process_broker().leave(subscription.listener, stream, stream)
        subscription.watch.cancel()

    def log_out(self) -> None:
        """End those that the session was asked for."""
        for number, subscription in list(self._subscriptions.items()):
            if subscription.by_session:
                self.unsubscribe(number)

    def close(self) -> None:
        for number in self.ids:
            self.unsubscribe(number)
        process_broker().pool.discard(self._connection)


def _account_of(caller: Caller) -> int | None:
    assert caller.credential is not None
    credential = get_credential(key=caller.credential.key)
    return caller.account if credential and Scope.READ in credential.scopes else None
