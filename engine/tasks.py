"""The engine's Celery tasks."""

from threading import Event

from celery import shared_task
from celery.signals import worker_shutting_down
from django.conf import settings

from engine.connections import connect
from engine.projector.loop import project_journal as project
from engine.projector.positions import PositionBusyError
from engine.snapshots.follower import Follower, Policy
from engine.snapshots.records import DatabaseRecords
from engine.snapshots.trimming import rewrite_log, trim_journal
from engine.worker.redis_store import RedisStream

PROJECT_SECONDS = 10.0
FOLLOW_SECONDS = 10.0

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


class _Following:
    """What stays in the memory of the one process of the queue `follower`, between its tasks."""

    def __init__(self) -> None:
        self._journal = connect(settings.ENGINE_REDIS_URL)
        self._shared = connect(settings.REDIS_URL)
        self._follower = Follower(
            RedisStream(self._journal),
            DatabaseRecords(self._shared),
            Policy.from_settings(),
        )

    def run(self) -> int:
        followed = self._follower.follow(seconds=FOLLOW_SECONDS, should_stop=_stopping.is_set)
        if trim_journal(
            self._journal,
            self._shared,
            snapshot=self._follower.verified,
            keep=settings.JOURNAL_KEEP_ENTRIES,
        ):
            rewrite_log(self._journal)
        return followed

    def close(self) -> None:
        self._journal.close()
        self._shared.close()


_following: _Following | None = None


@shared_task(name="engine.follow_journal", ignore_result=True)  # type: ignore[untyped-decorator]
def follow_journal() -> int:
    """Replay what is new for about ten seconds, take a snapshot where one is due, and trim the
    stream; how many entries were replayed.

    The beat sends one every few seconds, which expire as soon. Errors end the task, and the next
    one begins at the newest snapshot.
    """
    global _following
    following = _following or _Following()
    _following = None
    try:
        followed = following.run()
    except BaseException:
        following.close()
        raise
    _following = following
    return followed
