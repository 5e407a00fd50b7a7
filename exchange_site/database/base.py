"""The connection: django-timescaledb's, made to work without TimescaleDB as well."""

import logging
from typing import Any

from django.db import DatabaseError
from django.db.backends.postgresql.base import DatabaseWrapper as PostgresWrapper
from timescale.db.backends.postgresql.base import DatabaseWrapper as TimescaleWrapper

from exchange_site.database.schema import SchemaEditor
from exchange_site.standing_back import hold_back_server

logger = logging.getLogger(__name__)

# Creating the extension where the library was not loaded at start ends the session with a FATAL
# error; the library's settings are known only where it was.
EXTENSION_CAN_BE_MADE = """
    SELECT EXISTS (SELECT FROM pg_available_extensions
                   WHERE name = 'timescaledb' AND installed_version IS NULL)
       AND current_setting('timescaledb.max_background_workers', true) IS NOT NULL
"""
EXTENSION_IS_THERE = "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')"


class DatabaseWrapper(TimescaleWrapper):  # type: ignore[misc]
    SchemaEditorClass = SchemaEditor

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Who stands back asks a server process that does so, too: it has half of the work."""
        connection = super().get_new_connection(conn_params)
        hold_back_server(connection.fileno(), connection.info.backend_pid)
        return connection

    def prepare_database(self) -> None:
        """Called by `migrate`: make the extension where this server has it."""
        # Not TimescaleWrapper's own, which fails or complains where it has not.
        PostgresWrapper.prepare_database(self)
        if not self._answer(EXTENSION_CAN_BE_MADE):
            return
        try:
            with self.cursor() as cursor:
                cursor.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
        except DatabaseError as error:
            logger.warning(
                "TimescaleDB is available but could not be switched on, so tables stay ordinary "
                "ones. As a superuser: CREATE EXTENSION timescaledb. (%s)",
                error,
            )

    def has_timescaledb(self) -> bool:
        """Whether this database, not only its server, has the extension."""
        return self._answer(EXTENSION_IS_THERE)

    def _answer(self, question: str) -> bool:
        with self.cursor() as cursor:
            cursor.execute(question)
            row = cursor.fetchone()
        return bool(row[0])
