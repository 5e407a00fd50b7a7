"""What may go wrong on the way to a server, as whoever calls sees it."""

from enum import Enum
from typing import Protocol


class Killed(BaseException):
    """The process ends here: kill -9. No handler of the product may catch it."""


class ConnectionLost(Exception):
    """The server does not answer; whether it did what it was asked is unknown."""


class Fate(Enum):
    """Of a command that was sent by someone who did not live to see the answer."""

    DONE = "done"
    LOST = "lost"
    LATE = "late"


class Network(Protocol):
    def before(self, call: str) -> None:
        """The call is about to be sent. Raises what befalls the caller."""

    def after(self, call: str) -> None:
        """The call took effect, its answer is on the way. Raises what befalls the caller."""

    def is_quick(self) -> bool:
        """Does a commit take effect as soon as it was sent?"""

    def fate(self) -> Fate:
        """What becomes of a commit whose sender is gone."""


class QuietNetwork:
    """Nothing goes wrong."""

    def before(self, call: str) -> None:
        pass

    def after(self, call: str) -> None:
        pass

    def is_quick(self) -> bool:
        return True

    def fate(self) -> Fate:
        return Fate.DONE
