"""The embedded servers that an installation needs."""

from typing import Protocol

from exchange_site.part import Part
from exchange_site.servers.addresses import ServerAddresses
from exchange_site.servers.home import ExchangeHome
from exchange_site.servers.postgres import PostgresServer
from exchange_site.servers.valkey import engine_valkey, shared_valkey


class EmbeddedServer(Protocol):
    """What it takes to start one: `prepare`, run `part`, wait until `is_ready`, `finish`."""

    @property
    def name(self) -> str: ...
    def prepare(self) -> None: ...
    def part(self) -> Part: ...
    def is_ready(self) -> bool: ...
    def finish(self) -> None: ...


def embedded_servers(home: ExchangeHome, addresses: ServerAddresses) -> list[EmbeddedServer]:
    """Those that no variable replaces, in the order in which they start."""
    servers: list[EmbeddedServer] = [
        engine_valkey(home),
        shared_valkey(home),
        PostgresServer(home),
    ]
    return [server for server in servers if server.name in addresses.embedded]


def prepare_server(home: ExchangeHome, server: EmbeddedServer) -> None:
    """Everything that must stand before the server's program is started."""
    home.create()
    home.create_sockets()
    server.prepare()
