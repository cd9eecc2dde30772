"""From facts to figures: one line per carrier, pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from consumers.tasks.flight_facts import FlightFact

LATE_MINUTES = 15
"""A flight counts as late from here, as the US Department of Transportation counts it."""


@dataclass(slots=True)
class CarrierCount:
    """What one carrier did in a day. Delays are those of departures; early flights count as on time."""

    carrier: str
    departed: int = 0
    arrived: int = 0
    cancelled: int = 0
    late: int = 0
    delay_minutes: float = 0
    worst_delay_minutes: float = 0

    def add(self, fact: FlightFact) -> None:
        if fact.kind == "cancelled":
            self.cancelled += 1
        elif fact.kind == "arrived":
            self.arrived += 1
        elif fact.kind == "departed":
            self.departed += 1
            delay_minutes = max(fact.delay_minutes or 0, 0)
            self.late += delay_minutes >= LATE_MINUTES
            self.delay_minutes += delay_minutes
            self.worst_delay_minutes = max(self.worst_delay_minutes, delay_minutes)

    @property
    def mean_delay_minutes(self) -> float:
        return self.delay_minutes / self.departed if self.departed else 0.0

    @property
    def on_time_percent(self) -> float:
        return 100 * (self.departed - self.late) / self.departed if self.departed else 0.0


def count_by_carrier(facts: Iterable[FlightFact]) -> list[CarrierCount]:
    """One count per carrier, by carrier code."""
    counts: dict[str, CarrierCount] = {}
    for fact in facts:
        counts.setdefault(fact.carrier, CarrierCount(fact.carrier)).add(fact)
    return [counts[carrier] for carrier in sorted(counts)]
