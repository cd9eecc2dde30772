class Clock:
    """Both clocks of the telemetry, moved by hand."""

    def __init__(self, now_ms: int) -> None:
        self.ms = now_ms
        self.seconds = 100.0

    def now_ms(self) -> int:
        return self.ms

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds
        self.ms += int(seconds * 1000)
