"""How fast the projector writes: orders a second, their trades and ledger rows included.

Works on the engine's Redis and the database of the settings, with a journal that it writes
itself. It refuses servers that hold a journal or a projection, so it needs scratch ones:

    python -m bench.projector
"""

import json
import os
import random
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.journal import EncodedEntry

ORDERS = 100_000
ORDERS_PER_ENTRY = 200
ACCOUNTS = 1_000


def run() -> Iterator[dict[str, object]]:
    """One result. Raises RuntimeError where the journal or the tables are not empty."""
    from engine.journal import tail_sequence
    from engine.projector.connection import journal_connection
    from engine.projector.loop import project_entries, read_batch
    from engine.projector.positions import JOURNAL, projected_sequence
    from engine.tests.journals import append
    from markets.models import Trade

    with journal_connection() as connection:
        if tail_sequence(connection) or projected_sequence(JOURNAL):
            raise RuntimeError("there is a journal or a projection already: use empty servers")
        append(connection, scratch_journal())
        started, position, batches = time.perf_counter(), 0, 0
        while entries := read_batch(connection, position):
            position = project_entries(entries)
            batches += 1
        seconds = time.perf_counter() - started
    yield {
        "bench": "projector",
        "value": round(ORDERS / seconds),
        "unit": "orders/s",
        "orders": ORDERS,
        "trades": Trade.objects.count(),
        "entries": position,
        "transactions": batches,
        "seconds": round(seconds, 3),
    }


def scratch_journal() -> list["EncodedEntry"]:
    """Every second order takes the one before it: half a trade and four ledger rows an order."""
    from engine.core.types import Side
    from engine.tests.journals import JournalWriter

    chance = random.Random(1)
    journal = JournalWriter()
    journal.define()
    journal.commit()
    for number in range(0, ORDERS, 2):
        price = 50_000_000_000 + 100_000 * chance.randrange(1_000)
        quantity = 1_000 * chance.randrange(1, 10_000)
        side, other = chance.sample((Side.BUY, Side.SELL), 2)
        maker = journal.place(
            chance.randrange(ACCOUNTS), side, price, quantity, client_order_id=f"m{number}"
        )
        taker = journal.place(chance.randrange(ACCOUNTS), other, price, quantity)
        journal.trade(maker, taker, quantity)
        if (number + 2) % ORDERS_PER_ENTRY == 0:
            journal.commit(after_ms=10)
    return journal.entries


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exchange_site.settings")
    import django

    django.setup()
    for result in run():
        print(json.dumps(result))
