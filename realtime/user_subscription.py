"""An account's own events on their way to one socket."""

from collections.abc import Callable, Iterable
from typing import Final

from engine.publisher.missed import Missed, read_missed
from engine.publisher.streams import user_stream
from exchange_site.threads import in_thread
from realtime.broker import Broker
from realtime.client_connection import MAX_WAITING, TOO_SLOW, ClientConnection
from realtime.outgoing import Outgoing

Wrap = Callable[[str], str]
"""From an event's text to what stands on the wire."""


class UserSubscription:
    """Listens to an account's stream for one connection; `session` marks what gave it the right.

    With `held` it keeps what comes until `catch_up` has told what was missed before.
    """

    combined: Final = False
    """It wraps by itself, and the broker need not."""

    def __init__(
        self, connection: ClientConnection, wrap: Wrap, *, session: str, held: bool = False
    ) -> None:
        self._connection = connection
        self._wrap = wrap
        self.session = session
        self._held: list[Missed] | None = [] if held else None
        self._last = 0

    def offer(self, message: Outgoing, number: int) -> None:
        """The next event; one that was told already, as a missed one, is dropped."""
        if self._held is None:
            if number > self._last:
                self._connection.offer(Outgoing(self._wrap(message.text)))
        elif len(self._held) < MAX_WAITING:
            self._held.append(Missed(number, message.text))
        else:
            self.end(TOO_SLOW, "too slow")

    def catch_up(self, missed: Iterable[Missed]) -> None:
        """Tell what was missed and then what was held, each once; from now on all is told."""
        for number, text in (*missed, *(self._held or ())):
            if number > self._last:
                self._last = number
                self._connection.offer(Outgoing(self._wrap(text)))
        self._held = None

    def end(self, code: int, reason: str) -> None:
        self._connection.end(code, reason)


async def follow(
    broker: Broker, listener: UserSubscription, account: int, after: int | None
) -> str:
    """Begin to listen, where `after` is given from the event after that one on; the stream's name.

    The journal is read after the stream was joined: what it does not hold yet will be told.
    Raises TooLongAgo, FeedUnavailable, redis.RedisError; then nothing is listened to.
    """
    stream = user_stream(account)
    try:
        await broker.join(listener, stream, stream)
        if after is not None:
            listener.catch_up(await in_thread(lambda: read_missed(account, after)))
    except BaseException:
        broker.leave(listener, stream, stream)
        raise
    return stream
