"""The ledger loses its ids in a moment, however large it is, and gets them back."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from accounts.models import LedgerEntry
from engine.projector.loop import project_entries
from engine.tests.journals import small_journal

pytestmark = pytest.mark.django_db

WITH_IDS = "0004_orders_in_full"
WITHOUT_IDS = "0005_ledger_without_ids"

EARLIER_FORM = """
ALTER TABLE accounts_ledgerentry DROP CONSTRAINT ledger_once_per_journal_entry;
ALTER TABLE accounts_ledgerentry ADD PRIMARY KEY (sequence, position);
"""


@pytest.fixture(params=["empty", "with rows"])
def ledger(request: pytest.FixtureRequest) -> Iterator[int]:
    """How many rows it has; whatever was migrated, they and their key are there afterwards."""
    if request.param == "with rows":
        project_entries(small_journal())
    rows = list(LedgerEntry.objects.order_by("pk").values())
    yield len(rows)
    assert list(LedgerEntry.objects.order_by("pk").values()) == rows
    stored = list(LedgerEntry.objects.all())
    LedgerEntry.objects.bulk_create(stored, ignore_conflicts=True)
    assert LedgerEntry.objects.count() == len(rows)


def migrate(name: str) -> None:
    MigrationExecutor(connection).migrate([("accounts", name)])


def ask(question: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question)
        rows: list[tuple[object, ...]] = cursor.fetchall()
    return rows


def test_neither_rows_nor_key_are_written_anew(ledger: int) -> None:
    migrate(WITH_IDS)
    ids = ask("SELECT id FROM accounts_ledgerentry ORDER BY id")
    assert ids == [(number,) for number in range(1, ledger + 1)]
    files = """
        SELECT pg_relation_filenode('accounts_ledgerentry'),
               pg_relation_filenode('ledger_once_per_journal_entry')
    """
    before = ask(files)
    migrate(WITHOUT_IDS)
    assert ask(files) == before


def test_a_ledger_of_the_earlier_form_goes_on_and_back(ledger: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(EARLIER_FORM)
    stored = list(LedgerEntry.objects.all())
    LedgerEntry.objects.bulk_create(stored, ignore_conflicts=True)
    assert LedgerEntry.objects.count() == ledger
    migrate(WITH_IDS)
    migrate(WITHOUT_IDS)
