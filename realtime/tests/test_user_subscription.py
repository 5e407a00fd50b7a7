"""Between what was missed and what comes: each event once, in order, within bounds."""

import asyncio

from engine.publisher.missed import Missed
from realtime.client_connection import MAX_WAITING
from realtime.outgoing import Outgoing
from realtime.tests.test_broker import Socket
from realtime.user_subscription import UserSubscription


def subscription(socket: Socket, *, held: bool) -> UserSubscription:
    return UserSubscription(socket.connection, lambda text: text, session="", held=held)


async def test_what_comes_meanwhile_waits_for_what_was_missed() -> None:
    socket = Socket()
    events = subscription(socket, held=True)
    events.offer(Outgoing("three"), 3)
    events.offer(Outgoing("four"), 4)
    events.catch_up([Missed(2, "two"), Missed(3, "three again")])
    events.offer(Outgoing("four again"), 4)
    events.offer(Outgoing("five"), 5)
    while len(socket.received) < 4:
        await asyncio.sleep(0)
    assert socket.received == ["two", "three again", "four", "five"]


async def test_too_much_ends_the_connection() -> None:
    socket = Socket()
    events = subscription(socket, held=True)
    for number in range(MAX_WAITING + 1):
        events.offer(Outgoing("x"), number + 1)
    while socket.closed is None:
        await asyncio.sleep(0)
    assert socket.closed == 1008
