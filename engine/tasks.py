"""The engine's Celery tasks."""

from celery import shared_task

from engine.projector.connection import journal_connection
from engine.projector.loop import project_journal as project
from engine.projector.positions import PositionBusyError

PROJECT_SECONDS = 10.0


@shared_task(name="engine.project_journal", ignore_result=True)  # type: ignore[untyped-decorator]
def project_journal() -> int:
    """Write the journal to the tables for about ten seconds; how many entries.

    The beat sends one every two seconds, which expire as soon: the one process of the queue
    `projector` always finds a fresh one, and never a backlog of them. Errors end the task.
    """
    with journal_connection() as connection:
        try:
            return project(connection, seconds=PROJECT_SECONDS)
        except PositionBusyError:
            return 0
