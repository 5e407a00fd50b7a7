"""The database backend on a plain PostgreSQL, and what it says to one with TimescaleDB."""

import re
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import connection, models
from django.test.utils import isolate_apps
from timescale.db.models.fields import TimescaleDateTimeField


@pytest.fixture
def trade() -> Iterator[type[models.Model]]:
    """A model whose primary key contains the time."""
    with isolate_apps("exchange_site"):

        class Trade(models.Model):  # noqa: DJ008
            pk = models.CompositePrimaryKey("time", "number")
            time = TimescaleDateTimeField(interval="3 days")
            number = models.BigIntegerField()

            class Meta:
                app_label = "exchange_site"

        yield Trade


@pytest.fixture
def tick() -> Iterator[type[models.Model]]:
    """A model with Django's own primary key."""
    with isolate_apps("exchange_site"):

        class Tick(models.Model):  # noqa: DJ008
            time = TimescaleDateTimeField(interval="1 day")

            class Meta:
                app_label = "exchange_site"

        yield Tick


def statements(model: type[models.Model]) -> str:
    """What creating the table says, without saying it."""
    with connection.schema_editor(collect_sql=True) as editor:
        editor.create_model(model)
    return "\n".join(editor.collected_sql)


@pytest.mark.django_db
def test_on_plain_postgresql_a_time_series_is_an_ordinary_table(
    trade: type[models.Model],
) -> None:
    assert not connection.has_timescaledb()  # type: ignore[attr-defined]
    with connection.schema_editor() as editor:
        editor.create_model(trade)
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, trade._meta.db_table)
    (primary,) = [found for found in constraints.values() if found["primary_key"]]
    assert primary["columns"] == ["time", "number"]
    assert "create_hypertable" not in statements(trade)


@pytest.mark.django_db
def test_a_field_that_becomes_the_time_changes_no_plain_table(tick: type[models.Model]) -> None:
    with connection.schema_editor() as editor:
        editor.create_model(tick)
        shorter = tick._meta.get_field("time")
        assert isinstance(shorter, TimescaleDateTimeField)
        longer = TimescaleDateTimeField(interval="7 days")
        longer.set_attributes_from_name("time")
        longer.model = tick
        editor.alter_field(tick, shorter, longer)


@pytest.mark.django_db
def test_with_timescaledb_it_is_a_hypertable_that_keeps_its_key(
    trade: type[models.Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "has_timescaledb", lambda: True)
    said = statements(trade)
    assert re.search(r"PRIMARY KEY \(\"time\", \"number\"\)", said)
    assert "DROP CONSTRAINT" not in said
    assert (
        "SELECT create_hypertable('exchange_site_trade', 'time', "
        "chunk_time_interval => interval '3 days', migrate_data => false)"
    ) in said


@pytest.mark.django_db
def test_with_timescaledb_a_key_without_the_time_goes(
    tick: type[models.Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "has_timescaledb", lambda: True)
    said = statements(tick)
    assert 'DROP CONSTRAINT "exchange_site_tick_pkey"' in said
    assert "interval '1 day'" in said


@pytest.mark.django_db
def test_migrating_a_plain_postgresql_makes_no_noise(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("migrate", database="default", verbosity=1)
    assert caplog.records == []
    assert capsys.readouterr().err == ""


@pytest.mark.django_db
def test_rows_are_the_applications_to_read_and_write_but_tables_are_not() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE exchange_app")
        cursor.execute("SELECT count(*) FROM django_session")
        cursor.execute(
            "SELECT has_table_privilege('django_session', 'INSERT'),"
            " has_table_privilege('django_session', 'TRUNCATE'),"
            " has_schema_privilege('public', 'CREATE')"
        )
        assert cursor.fetchone() == (True, False, False)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("table", "may"),
    [
        ("accounts_ledgerentry", {"SELECT", "INSERT"}),
        ("engine_journalentry", {"SELECT", "INSERT"}),
        ("markets_trade", {"SELECT", "INSERT"}),
        ("django_migrations", {"SELECT"}),
        ("markets_kline", {"SELECT", "INSERT", "UPDATE", "DELETE"}),
        ("engine_projectorposition", {"SELECT", "INSERT", "UPDATE", "DELETE"}),
    ],
)
def test_what_the_application_may_do_with_a_table(table: str, may: set[str]) -> None:
    every = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER"]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT right_ FROM unnest(%s::text[]) AS right_"
            " WHERE has_table_privilege('exchange_app', %s, right_)",
            [every, table],
        )
        assert {right for (right,) in cursor.fetchall()} == may
