"""How many log lines of one kind a second may see, and what a summary says of the rest."""

from typing import Final

LINES_PER_SECOND: Final = 200


class LineBudget:
    """Lets the first lines of a second through; after a second above the limit, none until a slower one.

    `admit` is asked per line, `roll` once a second. What was not let through is counted in `held`.
    """

    __slots__ = ("_limit", "held", "quiet", "written")

    def __init__(self, limit: int = LINES_PER_SECOND) -> None:
        self._limit = limit
        self.quiet = False
        self.written = 0
        self.held = 0

    def admit(self) -> bool:
        if self.quiet or self.written >= self._limit:
            self.held += 1
            return False
        self.written += 1
        return True

    def roll(self, elapsed_seconds: float = 1.0) -> int:
        """Begin the next second; the number of lines held back in the one that ended."""
        held = self.held
        self.quiet = self.written + held > self._limit * max(elapsed_seconds, 1.0)
        self.written = self.held = 0
        return held
