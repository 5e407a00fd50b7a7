"""What is remembered serves while the database does not answer; and who asks never waits long."""

import threading
import time
from collections.abc import Iterator
from functools import partial

import pytest
from django.db import OperationalError

from exchange_site.database import remembered
from exchange_site.database.remembered import DatabaseUnavailable, Remembered, ask_patiently
from exchange_site.tests.processes import PATIENCE_S, wait_until
from exchange_site.threads import Threads


class Rows:
    """A table that can fail or hang; who asks it while it hangs has little patience."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.values: dict[str, str] = {"a": "1"}
        self.asked = 0
        self.fails = False
        self.answers = threading.Event()
        self.answers.set()

    def hang(self) -> None:
        self.answers.clear()
        self._monkeypatch.setattr(remembered, "PATIENCE_S", 0.1)

    def go_on(self) -> None:
        self._monkeypatch.setattr(remembered, "PATIENCE_S", PATIENCE_S)
        self.answers.set()

    def load(self, key: str) -> str | None:
        self.asked += 1
        self.answers.wait()
        if self.fails:
            raise OperationalError("gone")
        return self.values.get(key)


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rows]:
    monkeypatch.setattr(remembered, "PATIENCE_S", PATIENCE_S)
    monkeypatch.setattr(remembered, "RETRY_EVERY_S", 0.0)
    rows = Rows(monkeypatch)
    yield rows
    rows.answers.set()


def test_fresh_values_are_not_asked_for_again(rows: Rows) -> None:
    values = Remembered(rows.load, fresh_s=60)
    assert [values.get("a"), values.get("a")] == ["1", "1"]
    assert [values.get("no"), values.get("no")] == [None, None]
    assert rows.asked == 2
    assert values.knows("a")
    assert not values.knows("no")


def test_old_values_are(rows: Rows) -> None:
    values = Remembered(rows.load, fresh_s=-1)
    assert values.get("a") == "1"
    rows.values = {}
    assert values.get("a") is None, "a revoked key is gone"


def test_they_are_read_anew_before_they_are_old(
    rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "AHEAD", -1.0)
    values = Remembered(rows.load, fresh_s=60)
    values.get("a")
    rows.values = {"a": "2"}
    rows.hang()
    asked = rows.asked
    assert [values.get("a"), values.get("a")] == ["1", "1"], "nobody waits for it"
    wait_until(lambda: rows.asked > asked, "it is asked for")
    assert rows.asked == asked + 1
    rows.go_on()
    wait_until(lambda: values.get("a") == "2", "it is there")


def test_a_dead_database_leaves_what_was_known(rows: Rows) -> None:
    values = Remembered(rows.load, fresh_s=-1)
    assert values.get("a") == "1"
    assert values.get("no") is None
    assert values.at_hand("a") is None
    rows.fails = True
    assert [values.get("a"), values.get("a")] == ["1", "1"]
    assert values.at_hand("a") is not None, "nobody waits for the database any more"
    with pytest.raises(DatabaseUnavailable):
        values.get("no")
    rows.fails, rows.values = False, {"a": "2"}
    wait_until(lambda: values.get("a") == "2", "it is asked again")


def test_a_dead_database_is_not_asked_again_by_everybody(
    rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "AHEAD", -1.0)
    values = Remembered(rows.load, fresh_s=60)
    values.get("a")
    monkeypatch.setattr(remembered, "RETRY_EVERY_S", 60.0)
    rows.fails = True
    asked = rows.asked
    assert values.at_hand("a") == "1"
    wait_until(lambda: values._in_trouble, "it is known to be in trouble")
    assert [values.at_hand("a"), values.last_known("a"), values.get("a")] == ["1", "1", "1"]
    assert rows.asked == asked + 1


def test_what_hardly_changes_is_not_waited_for(rows: Rows) -> None:
    values = Remembered(rows.load, fresh_s=-1)
    assert values.last_known("a") is None, "nobody has asked yet"
    values.get("a")
    rows.values = {"a": "2"}
    assert values.last_known("a") == "1"
    wait_until(lambda: values.last_known("a") == "2", "it is read anew for the next one")


def test_but_not_for_ever(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    values = Remembered(rows.load, fresh_s=-1)
    values.get("a")
    rows.fails = True
    monkeypatch.setattr(remembered, "STALE_S", -1.0)
    with pytest.raises(DatabaseUnavailable):
        values.get("a")


def test_a_hanging_database_is_waited_for_once(rows: Rows) -> None:
    values = Remembered(rows.load, fresh_s=-1)
    values.get("a")
    rows.hang()
    asked = rows.asked
    began = time.monotonic()
    assert [values.get("a") for _ in range(1000)] == ["1"] * 1000
    assert time.monotonic() - began < 100 * remembered.PATIENCE_S, "nor do the others wait"
    assert rows.asked == asked + 1, "one asks, the others take what is there"
    with pytest.raises(DatabaseUnavailable):
        values.get("unknown")
    with pytest.raises(DatabaseUnavailable):
        ask_patiently(lambda: rows.load("a"), patience_s=0.01)


def test_what_waits_for_a_hanging_database_is_bounded(
    rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "_threads", Threads(1, "one", max_waiting=2))
    values = Remembered(rows.load, fresh_s=-1)
    values.get("a")
    rows.hang()
    for key in ("b", "c", "d", "e"):
        with pytest.raises(DatabaseUnavailable):
            ask_patiently(partial(rows.load, key), patience_s=0.01)
    assert values.get("a") == "1", "what was read before serves"
    asked = rows.asked
    rows.go_on()
    wait_until(lambda: answers(rows), "it is asked again")
    assert rows.asked == asked + 1, "neither what nobody waits for any more, nor what was too much"


def answers(rows: Rows) -> bool:
    try:
        return ask_patiently(lambda: rows.load("a"), patience_s=PATIENCE_S) == "1"
    except DatabaseUnavailable:
        return False


def test_all_who_ask_at_once_share_one_question(rows: Rows) -> None:
    values = Remembered(rows.load)
    rows.answers.clear()
    found: list[str | None] = []
    threads = [threading.Thread(target=lambda: found.append(values.get("a"))) for _ in range(20)]
    for thread in threads:
        thread.start()
    wait_until(lambda: rows.asked, "one asks")
    rows.go_on()
    for thread in threads:
        thread.join()
    assert found == ["1"] * 20
    assert rows.asked == 1


def test_nonsense_drives_nothing_out(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "MAX_ENTRIES", 2)
    values = Remembered(rows.load, fresh_s=60)
    for key in ("a", "x", "y", "z"):
        values.get(key)
    assert values.knows("a")


def test_what_is_forgotten_while_it_loads_is_not_kept(rows: Rows) -> None:
    values = Remembered(rows.load, fresh_s=60)
    rows.hang()
    with pytest.raises(DatabaseUnavailable):
        values.get("a")
    values.forget("a")
    rows.values = {}
    rows.go_on()
    assert values.get("a") is None
