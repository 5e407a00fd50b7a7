"""A recorded market, played through the exchange."""

import gzip
import itertools
import json
import time
import zlib
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterable
from functools import partial
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from accounts.onramp import OnrampRefused
from engine.amounts import AmountError
from engine.client import EngineUnavailable, StatusUnknown, engine_client
from engine.core.queries import GetDepth
from engine.core.replies import DepthReply
from engine.engine_time import ENGINE_TIME
from engine.pipeline import Pipeline
from engine.submit import CommandRefused
from exchange_site.errors import CodedError
from markets.replay.player import Player, ReplayRefused
from markets.replay.preparation import Stage, open_orders, prepare
from markets.venues.binance import DepthSnapshot
from markets.venues.depth_book import DepthBook, DepthError
from markets.venues.recording import Recorded, RecordingError, read_recording

LEVELS_COMPARED: Final = 20
PROGRESS_EVERY_S: Final = 2.0


class Command(BaseCommand):
    help = "Plays recorded venue frames through the exchange and prints one JSON object."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="gzip; a receive time and a frame a line")
        parser.add_argument("--into", metavar="SYMBOL", help="default: the recorded symbol and R")
        parser.add_argument(
            "--speed", metavar="N", type=_speed, help="N times real time; default: full speed"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with gzip.open(options["file"], "rb") as lines:
                result = self._replay(read_recording(lines), options["into"], options["speed"])
        except (OSError, EOFError, zlib.error) as error:
            raise CommandError(f"{options['file']}: {error}") from error
        except (RecordingError, DepthError, AmountError) as error:
            raise CommandError(f"the recording cannot be played: {error}") from error
        except (ReplayRefused, CommandRefused, CodedError, OnrampRefused) as error:
            raise CommandError(str(error)) from error
        except (EngineUnavailable, StatusUnknown) as error:
            raise CommandError(f"the engine does not answer: {error}") from error
        self.stdout.write(json.dumps(result))

    def _replay(
        self, recording: Iterable[Recorded], into: str | None, speed: float | None
    ) -> dict[str, Any]:
        # 1. What was recorded: the first frame that names its market tells.
        recorded, frames = _recorded_symbol(recording)

        # 2. A market, two accounts, funds.
        stage = prepare(recorded=recorded, market=into or f"{recorded}R")

        # 3. Play.
        player = Player(
            Pipeline(engine_client()),
            market=stage.market,
            scales=stage.scales,
            players=stage.players,
            now_ms=ENGINE_TIME.now_ms,
        )
        started = time.monotonic()
        self._play(player, frames, speed)
        player.finish(partial(open_orders, stage.players.maker, stage.market))
        self._tell(player, time.monotonic() - started)
        seconds = time.monotonic() - started

        # 4. Compare.
        return _result(player, stage, seconds)

    def _play(self, player: Player, frames: Iterable[Recorded], speed: float | None) -> None:
        started = told = time.monotonic()
        first_ns: int | None = None
        for received_at_ns, frame in frames:
            now = time.monotonic()
            if speed is not None:
                first_ns = received_at_ns if first_ns is None else first_ns
                due = started + (received_at_ns - first_ns) / 1e9 / speed
                if due > now:
                    player.flush()
                    time.sleep(due - now)
            player.play(frame)
            if now - told > PROGRESS_EVERY_S:
                told = now
                self._tell(player, now - started)

    def _tell(self, player: Player, seconds: float) -> None:
        tally = player.tally
        self.stderr.write(
            f"{seconds:.0f} s: {tally.frames:,} frames, {tally.orders:,} orders,"
            f" {tally.cancels:,} cancels, {tally.fills:,} fills",
            style_func=str,
        )


def _recorded_symbol(recording: Iterable[Recorded]) -> tuple[str, Iterable[Recorded]]:
    """The symbol, and all of the frames. A depth snapshot does not name its own."""
    rest = iter(recording)
    seen = []
    for recorded in rest:
        seen.append(recorded)
        if not isinstance(recorded.frame, DepthSnapshot):
            return recorded.frame.symbol, itertools.chain(seen, rest)
    raise RecordingError("no frame names a market")


def _result(player: Player, stage: Stage, seconds: float) -> dict[str, Any]:
    tally = player.tally
    return {
        "symbol": stage.market,
        "frames": tally.frames,
        "prints": tally.prints,
        "orders": tally.orders,
        "cancels": tally.cancels,
        "fills": tally.fills,
        "recorded_quantity": stage.scales.format_quantity(tally.recorded_quantity),
        "traded_quantity": stage.scales.format_quantity(tally.traded_quantity),
        "seconds": round(seconds, 3),
        "orders_per_second": round(tally.orders / seconds),
        "commands_per_second": round((tally.orders + tally.cancels) / seconds),
        "last_update_id": player.book.last_update_id,
        "mismatched_levels": _mismatched_levels(player.book, stage.market),
    }


def _mismatched_levels(book: DepthBook, market: str) -> int:
    """Places among the best of each side where the exchange and the recording differ."""
    depth = engine_client().call(GetDepth(market, LEVELS_COMPARED)).reply
    assert isinstance(depth, DepthReply)
    return sum(
        here != there
        for ours, theirs in zip((depth.bids, depth.asks), book.best(LEVELS_COMPARED), strict=True)
        for here, there in itertools.zip_longest(ours, theirs)
    )


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0
    if not 0 < speed < float("inf"):
        raise ArgumentTypeError("a positive number")
    return speed
