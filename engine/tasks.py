"""The engine's Celery tasks."""

from threading import Event

from celery import shared_task
from celery.signals import worker_shutting_down
from django.conf import settings

from engine.connections import connect
from engine.projector.loop import project_journal as project
from engine.projector.positions import PositionBusyError

PROJECT_SECONDS = 10.0

_stopping = Event()


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def stop_soon(**_: object) -> None:
    """A worker that is told to stop waits for its task, so the task must not take its time."""
    _stopping.set()


@shared_task(name="engine.project_journal", ignore_result=True)  # type: ignore[untyped-decorator]
def project_journal() -> int:
    """Write the journal to the tables for about ten seconds; how many entries.

    The beat sends one every two seconds, which expire as soon: the one process of the queue
    `projector` always finds a fresh one, and never a backlog of them. Errors end the task.
    """
    with connect(settings.ENGINE_REDIS_URL) as connection:
        try:
            return project(connection, seconds=PROJECT_SECONDS, should_stop=_stopping.is_set)
        except PositionBusyError:
            return 0
