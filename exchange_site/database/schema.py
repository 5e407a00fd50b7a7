"""Tables: hypertables where the database has TimescaleDB, ordinary ones elsewhere."""

from django.db.models import Model
from timescale.db.backends.postgresql.schema import TimescaleSchemaEditor
from timescale.db.models.fields import TimescaleDateTimeField


class SchemaEditor(TimescaleSchemaEditor):  # type: ignore[misc]
    """Creates, migrates and resizes hypertables by the model's TimescaleDateTimeField."""

    def _create_hypertable(
        self, model: type[Model], field: TimescaleDateTimeField, should_migrate: bool = False
    ) -> None:
        if self.connection.has_timescaledb():
            super()._create_hypertable(model, field, should_migrate)

    def _set_chunk_time_interval(self, model: type[Model], field: TimescaleDateTimeField) -> None:
        if self.connection.has_timescaledb():
            super()._set_chunk_time_interval(model, field)

    def _drop_primary_key(self, model: type[Model]) -> None:
        """A hypertable's primary key must contain the time: keep one that does."""
        if not any(isinstance(field, TimescaleDateTimeField) for field in model._meta.pk_fields):
            super()._drop_primary_key(model)
