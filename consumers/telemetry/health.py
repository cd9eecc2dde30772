"""Is the worker alive, is it ready: the state the engine keeps and the probes read.

Three ways to stand still are three checks. `loop`: user code blocks the event loop, nothing beats. `polling`:
the loop turns but the consumer never comes back from a fetch. `group`: no place in the group, or state still
being restored. Only a blocked loop is worth a restart; the others pass, and readiness says so meanwhile.
"""

import enum
import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple


class WorkerState(enum.StrEnum):
    STARTING = "starting"
    RESTORING = "restoring"
    READY = "ready"
    DRAINING = "draining"
    STOPPED = "stopped"


class Check(NamedTuple):
    ok: bool
    detail: str


class Report(NamedTuple):
    """The answer to a probe."""

    ok: bool
    checks: dict[str, Check]

    def document(self) -> dict[str, object]:
        checks = {name: {"ok": check.ok, "detail": check.detail} for name, check in self.checks.items()}
        return {"status": "ok" if self.ok else "failing", "checks": checks}


LOOP_SECONDS: Final = 60.0
POLL_SECONDS: Final = 60.0
KAFKA_SECONDS: Final = 15.0


class Health:
    """Written by the worker's loop, read by the probes' thread; every method may be called from any thread.

    A beat, a poll or a contact counts for so many seconds; kafka contact is told by `kafka(ok)`.
    """

    def __init__(
        self,
        *,
        loop_seconds: float = LOOP_SECONDS,
        poll_seconds: float = POLL_SECONDS,
        kafka_seconds: float = KAFKA_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._loop_seconds = loop_seconds
        self._poll_seconds = poll_seconds
        self._kafka_seconds = kafka_seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._state = WorkerState.STARTING
        self._beat = self._polled = monotonic()
        self._contact: float | None = None
        self._heard = self._beat
        self._kafka_ok = False
        self._partitions: int | None = None
        self._restore_remaining = 0

    @property
    def state(self) -> WorkerState:
        return self._state

    @state.setter
    def state(self, state: WorkerState) -> None:
        with self._lock:
            self._state = state

    def beat(self) -> None:
        """The event loop turns: call it every second or so."""
        self._beat = self._monotonic()

    def polled(self) -> None:
        """The consumer came back from a fetch, with or without records."""
        self._polled = self._monotonic()

    def kafka(self, ok: bool, heard: float | None = None) -> None:
        """Kafka answers, or is known to be away. `heard` is when it last did, on the monotonic clock."""
        with self._lock:
            self._kafka_ok = ok
            if ok:
                self._contact = self._heard = self._monotonic()
            if heard is not None:
                self._heard = heard

    def assigned(self, partitions: int, *, restore_remaining: int = 0) -> None:
        """How many partitions are ours (a spare worker has 0); state records still to be read back."""
        with self._lock:
            self._partitions = partitions
            self._restore_remaining = restore_remaining

    def unassigned(self) -> None:
        """The group is handing out partitions anew; nobody knows yet which are ours."""
        with self._lock:
            self._partitions = None

    def live(self) -> Report:
        """Fails only when the loop stands still, so that a restart can help."""
        return _report({"loop": self._loop_check()})

    def ready(self) -> Report:
        """Whether this worker takes and finishes jobs now."""
        with self._lock:
            checks = {
                "state": Check(self._state is WorkerState.READY, self._state.value),
                "group": self._group_check(),
                "kafka": self._kafka_check(),
                "polling": self._recent(self._polled, self._poll_seconds, "last fetch"),
                "loop": self._loop_check(),
            }
        return _report(checks)

    def _loop_check(self) -> Check:
        return self._recent(self._beat, self._loop_seconds, "last beat")

    def _group_check(self) -> Check:
        if self._partitions is None:
            return Check(False, "waiting for the group")
        if self._restore_remaining:
            return Check(False, f"{self._restore_remaining} state records still to restore")
        return Check(True, f"{self._partitions} partitions")

    def _kafka_check(self) -> Check:
        if self._contact is None:
            return Check(False, "no contact yet")
        recent = self._recent(self._contact, self._kafka_seconds, "last contact")
        heard = self._recent(self._heard, self._kafka_seconds, "last contact")
        return Check(recent.ok and self._kafka_ok, heard.detail)

    def _recent(self, since: float, within_seconds: float, what: str) -> Check:
        age_seconds = self._monotonic() - since
        return Check(age_seconds <= within_seconds, f"{what} {age_seconds:.1f} s ago")


def _report(checks: dict[str, Check]) -> Report:
    return Report(all(check.ok for check in checks.values()), checks)
