"""Database constraints and their migration operations, shared by the apps' models."""

from collections.abc import Iterable
from enum import Enum

from django.db import models
from django.db.migrations.operations import RunSQL


def choices_of(kind: type[Enum]) -> list[tuple[str, str]]:
    """The values of one of the core's closed sets, as choices of a field."""
    return [(member.value, member.name.replace("_", " ").capitalize()) for member in kind]


def one_of(field: str, values: Iterable[str], name: str) -> models.CheckConstraint:
    """A CHECK that `field` holds one of `values`."""
    return models.CheckConstraint(condition=models.Q((f"{field}__in", sorted(values))), name=name)


CREATE_REFUSAL = """
CREATE FUNCTION exchange_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % refused: its rows are a record, they are only ever added',
        TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation',
              HINT = 'Correct a mistake with a new command to the engine.';
END $$;
"""
DROP_REFUSAL = "DROP FUNCTION exchange_refuse_change();"

_PROTECT = """
CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION exchange_refuse_change();
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION exchange_refuse_change();
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'exchange_app') THEN
        REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM exchange_app;
    END IF;
END $$;
"""
_UNPROTECT = """
DROP TRIGGER {table}_no_change ON {table};
DROP TRIGGER {table}_no_truncate ON {table};
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'exchange_app') THEN
        GRANT UPDATE, DELETE ON {table} TO exchange_app;
    END IF;
END $$;
"""


def append_only(table: str) -> RunSQL:
    """Rows of `table` can be added and read, nothing else.

    A trigger refuses changes by anyone, the owner included; the application's role loses the
    privileges as well, so that it takes the owner to lift the trigger. The trigger stands on rows,
    because TimescaleDB hands row triggers down to the chunks of a hypertable.
    """
    return RunSQL(_PROTECT.format(table=table), _UNPROTECT.format(table=table))
