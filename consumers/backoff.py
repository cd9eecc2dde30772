"""How long to wait before the next attempt: numbers in, seconds out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from schemas.duration import Seconds, seconds_of

Jitter = Literal["full", "none"]
# 2**64 seconds is beyond every cap; without a bound the power overflows on the thousandth attempt.
_LARGEST_EXPONENT = 64


class Backoff(Protocol):
    """A policy. `random` gives numbers from 0 up to 1."""

    def delay_seconds(self, attempt: int, random: Callable[[], float]) -> float:
        """The wait after the `attempt`-th attempt failed, counted from 1."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """The same wait each time."""

    delay: Seconds
    jitter: Jitter = "none"

    def __post_init__(self) -> None:
        _check(self.jitter, delay=self.delay)

    def delay_seconds(self, attempt: int, random: Callable[[], float]) -> float:
        return _jittered(seconds_of(self.delay), self.jitter, random)


@dataclass(frozen=True, slots=True)
class Linear:
    """`base`, twice `base`, three times `base` … up to `cap`."""

    base: Seconds = 1
    cap: Seconds = 300
    jitter: Jitter = "full"

    def __post_init__(self) -> None:
        _check(self.jitter, base=self.base, cap=self.cap)

    def delay_seconds(self, attempt: int, random: Callable[[], float]) -> float:
        return _jittered(min(seconds_of(self.cap), seconds_of(self.base) * attempt), self.jitter, random)


@dataclass(frozen=True, slots=True)
class Exponential:
    """`base`, 2 × `base`, 4 × `base` … up to `cap`; full jitter: anything from 0 to that, evenly."""

    base: Seconds = 1
    cap: Seconds = 300
    jitter: Jitter = "full"

    def __post_init__(self) -> None:
        _check(self.jitter, base=self.base, cap=self.cap)

    def delay_seconds(self, attempt: int, random: Callable[[], float]) -> float:
        exponent = min(attempt - 1, _LARGEST_EXPONENT)
        ceiling = min(seconds_of(self.cap), seconds_of(self.base) * 2.0**exponent)
        return _jittered(ceiling, self.jitter, random)


def _check(jitter: str, **lengths: Seconds) -> None:
    if jitter not in ("full", "none"):
        raise ValueError(f"jitter={jitter!r}: wanted 'full' or 'none'")
    for name, value in lengths.items():
        try:
            seconds_of(value)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None


def _jittered(seconds: float, jitter: Jitter, random: Callable[[], float]) -> float:
    return seconds * random() if jitter == "full" else seconds
