"""`python -m exchange_site.supervisor`: the exchange in the foreground, until Ctrl-C."""

import argparse
import os
import sys
from functools import partial

from exchange_site.servers.addresses import ServerAddresses
from exchange_site.servers.checks import check_servers
from exchange_site.servers.embedded import embedded_servers
from exchange_site.servers.home import ExchangeHome, UnsafeFolder
from exchange_site.servers.postgres import NoPostgres
from exchange_site.servers.valkey import NoValkey
from exchange_site.supervisor.health import fetch_health
from exchange_site.supervisor.parts import PROJECT, exchange_parts
from exchange_site.supervisor.run import run
from exchange_site.supervisor.supervisor import Plan

SERVERS = ("engine-valkey", "valkey", "postgres")


def main() -> int:
    parser = argparse.ArgumentParser(prog="exchange", description="Run the exchange.")
    parser.add_argument(
        "--servers", nargs="+", choices=SERVERS, help="only these embedded servers, nothing else"
    )
    parser.add_argument(
        "--while-running", type=int, metavar="PID", help="stop when this process is gone"
    )
    options = parser.parse_args()
    home = ExchangeHome.from_environment(os.environ, default=PROJECT / ".run")
    try:
        plan = _servers_only(home, options.servers) if options.servers else _everything(home)
        return run(plan, while_running=options.while_running)
    except (NoPostgres, NoValkey, UnsafeFolder) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _everything(home: ExchangeHome) -> Plan:
    addresses = ServerAddresses.from_environment(os.environ, home)
    parts = exchange_parts(home, os.environ)
    port = int(os.environ.get("PORT") or 8000)
    return Plan(
        home=home,
        servers=embedded_servers(home, addresses),
        check=partial(check_servers, addresses),
        setup=parts.setup,
        parts=parts.parts,
        afterwards=parts.afterwards,
        port=port,
        health=partial(fetch_health, os.environ),
        ready=f"exchange ready on http://127.0.0.1:{port}",
    )


def _servers_only(home: ExchangeHome, names: list[str]) -> Plan:
    addresses = ServerAddresses.from_environment({}, home)
    servers = [server for server in embedded_servers(home, addresses) if server.name in names]
    return Plan(home=home, servers=servers, ready="servers ready")


sys.exit(main())
