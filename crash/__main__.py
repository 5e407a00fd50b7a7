"""`make crash [KILLS=n]`: progress on standard error, and one JSON object at the end."""

import argparse
import asyncio
import json
import logging
import os
import sys
import tempfile
from pathlib import Path

import django


def say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="crash", description="Kill parts under load.")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--rate", type=int, default=3_000, help="orders a second")
    parser.add_argument("--seed", type=int, default=1, help="of the order and moments of kills")
    parser.add_argument(
        "--database-away", type=float, default=0.0, metavar="S", help="PostgreSQL hangs so long"
    )
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exchange_site.settings")
    # Whoever kills engines waits for as many recoveries, which replay what no snapshot has.
    os.environ.setdefault("SNAPSHOT_EVERY_S", "30")
    django.setup()  # for what it shares with the tests
    logging.disable(logging.WARNING)  # that connections break is what this is about
    from crash.campaign import Campaign
    from exchange_site.tests.running import RunningExchange

    with tempfile.TemporaryDirectory(prefix="crash-") as folder:
        Path(folder).chmod(0o711)  # root's PostgreSQL runs as nobody, who must get through
        exchange = RunningExchange(Path(folder) / "home")
        exchange.start(while_running=os.getpid())
        try:
            campaign = Campaign(exchange, rate=options.rate, seed=options.seed, say=say)
            result = asyncio.run(campaign.run(options.kills, database_away_s=options.database_away))
        finally:
            exchange.stop()
    print(json.dumps(result.describe()))
    return 0 if result.clean else 1


if __name__ == "__main__":
    sys.exit(main())
