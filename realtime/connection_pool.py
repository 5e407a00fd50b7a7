"""All stream sockets of this process."""

from collections.abc import Iterator

from realtime.client_connection import ClientConnection


class ConnectionPool:
    def __init__(self) -> None:
        self._connections: set[ClientConnection] = set()

    def __len__(self) -> int:
        return len(self._connections)

    def __iter__(self) -> Iterator[ClientConnection]:
        return iter(tuple(self._connections))

    def add(self, connection: ClientConnection) -> None:
        self._connections.add(connection)

    def discard(self, connection: ClientConnection) -> None:
        self._connections.discard(connection)

    def end_all(self, code: int, reason: str) -> None:
        for connection in self:
            connection.end(code, reason)
