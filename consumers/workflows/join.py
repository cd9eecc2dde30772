"""A join: which members of a group have ended. One state record for each member, and one with the count.

The members' records are the truth; the count beside them is for whoever looks, and is made again from them
when the join comes to another worker.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from consumers.engine.statedb import RECORD, Change, StateDb
from schemas.job import JobRequested, JobState
from schemas.state import JOIN_PREFIX, decode_state, encode_state
from schemas.workflow import Json, StepEnded

_FOLLOW: Final = b"/follow"


@dataclass(slots=True)
class Join:
    """One join. `arrived` tells for each member that ended whether it ended well."""

    id: str
    root: str
    total: int
    follow_id: str
    opened_ms: int
    arrived: dict[int, bool] = field(default_factory=dict)
    revision: int = 0

    @property
    def failed(self) -> int:
        return sum(not well for well in self.arrived.values())

    @property
    def complete(self) -> bool:
        return len(self.arrived) == self.total

    def take(self, n: int, *, well: bool) -> bool:
        """Note that a member ended; False when it is no news. One that failed may still end well, when
        somebody sent it again."""
        if not 0 <= n < self.total or self.arrived.get(n) or (n in self.arrived and not well):
            return False
        self.arrived[n] = well
        return True

    # -- records

    def head(self, writer: int) -> Change:
        """The record with the count."""
        self.revision += 1
        document = {
            "state": "join",
            "root": self.root,
            "total": self.total,
            "count": len(self.arrived),
            "failed": self.failed,
            "follow": self.follow_id,
            "opened_ms": self.opened_ms,
        }
        return Change(_key(self.id), encode_state(document, writer=writer, revision=self.revision))

    def follow(self, request: JobRequested, writer: int) -> Change:
        """The record of what follows, written once."""
        document = {"state": "follow", "request": request.model_dump(exclude_defaults=True)}
        return Change(_key(self.id) + _FOLLOW, encode_state(document, writer=writer, revision=1))

    def member(self, ended: StepEnded, writer: int) -> Change:
        """The record of a member that ended."""
        document = {"state": "joined"} | ended.model_dump(mode="json", exclude_none=True, exclude={"state"})
        document["ended"] = ended.state.value
        value = encode_state(document, writer=writer, revision=2 if ended.state is JobState.COMPLETED else 1)
        return Change(_key(self.id) + b"/%d" % ended.n, value)

    def nothing(self, numbers: Iterable[int]) -> list[Change]:
        """The tombstones of members."""
        return [Change(_key(self.id) + b"/%d" % n, None) for n in numbers]

    def end(self) -> list[Change]:
        """The tombstones of the rest, to be written last."""
        return [Change(_key(self.id) + _FOLLOW, None), Change(_key(self.id), None)]


def load(db: StateDb, id: str) -> Join | None:
    """The join as its records tell; None when there is none."""
    value = db.get([_key(id)])[0]
    if value is None:
        return None
    record = decode_state(value)
    document = record.document
    join = Join(
        id,
        document["root"],
        document["total"],
        document["follow"],
        document["opened_ms"],
        revision=record.revision,
    )
    for member in members(db, id):
        join.arrived[member["n"]] = member["ended"] == JobState.COMPLETED
    return join


def follow_of(db: StateDb, id: str) -> JobRequested:
    """What follows a join that is there."""
    value = db.get([_key(id) + _FOLLOW])[0]
    assert value is not None
    return JobRequested.model_validate(decode_state(value).document["request"])


def members(db: StateDb, id: str) -> list[Json]:
    """What the records of a join's members say, in the order of the group."""
    prefix, found = _key(id) + b"/", []
    for key, value in db.records(RECORD + prefix):
        if not key.startswith(prefix):
            break
        if not key.endswith(_FOLLOW):
            found.append(decode_state(value).document)
    return sorted(found, key=_number)


def ids(db: StateDb) -> list[str]:
    """Every join there is."""
    found, start = [], RECORD + JOIN_PREFIX
    while (key := next((key for key, _ in db.records(start, 1)), None)) is not None:
        if not key.startswith(JOIN_PREFIX):
            break
        id = key[len(JOIN_PREFIX) :].partition(b"/")[0]
        found.append(id.decode())
        start = RECORD + JOIN_PREFIX + id + b"0"  # the character after the slash: past its members
    return found


def _number(document: Json) -> int:
    return int(document["n"])


def _key(id: str) -> bytes:
    return JOIN_PREFIX + id.encode()
