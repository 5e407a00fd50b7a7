"""Time, as the simulation lets it pass."""

START_MS = 1_760_000_000_000


class Hours:
    """Monotonic time, and a wall clock that somebody sets."""

    def __init__(self) -> None:
        self.elapsed_ms = 0
        self.wall_ahead_ms = START_MS

    def let_pass(self, milliseconds: int) -> None:
        self.elapsed_ms += milliseconds

    def monotonic(self) -> float:
        """Seconds."""
        return self.elapsed_ms / 1000

    def wall(self) -> float:
        """Seconds since the epoch, UTC."""
        return self.wall_ms() / 1000

    def wall_ms(self) -> int:
        return self.elapsed_ms + self.wall_ahead_ms
