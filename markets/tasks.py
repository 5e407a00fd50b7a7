"""The markets' Celery tasks."""

from celery import shared_task

from engine.projector.positions import PositionBusyError
from markets.candle_updates import update_candles as update

UPDATE_SECONDS = 5.0


@shared_task(name="markets.update_candles", ignore_result=True)  # type: ignore[untyped-decorator]
def update_candles() -> int:
    """Bring the candles up to the trades; how many were new. One at a time, others step back."""
    try:
        return update(seconds=UPDATE_SECONDS)
    except PositionBusyError:
        return 0
