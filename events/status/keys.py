"""The keys of the read model's database. One letter says what a key is; times are inverted, newest first.

| prefix | then | value |
|---|---|---|
| `j` | job id | the folded job (`folded.py`) |
| `i` | task, 0, state letter, time, job id | empty: the index of lists |
| `e` `p` `o` `h` | event id, parent, root or schedule; 0, time, job id | the state |
| `d` | time, letter id | a dead letter's facts |
| `l` | job id, 0, time | the letter's id |
| `n` | letter id | its time, as in its key |
| `a` | command id | the answer to a command, with its expiry |
| `v` | schedule | its cursor |
| `c` | task, 0, state letter | how many jobs |
| `f` | topic, 0, partition | how far it is read, and its fence |
| `m` | | what this database is |
| `w` | | how many times it was written to |
"""

from functools import lru_cache
from typing import Final, NamedTuple

from schemas.job import JobState

JOB: Final = b"j"
LISTED: Final = b"i"
EVENT: Final = b"e"
PARENT: Final = b"p"
ROOT: Final = b"o"
SCHEDULE: Final = b"h"
LETTER: Final = b"d"
LETTER_OF: Final = b"l"
LETTER_TIME: Final = b"n"
ANSWER: Final = b"a"
CURSOR: Final = b"v"
COUNT: Final = b"c"
FOLD: Final = b"f"
META: Final = b"m"
WRITES: Final = b"w"

TIME_BYTES: Final = 8
_LAST: Final = (1 << 63) - 1
STATES: Final = tuple(JobState)
STATE_LETTER: Final = {state.value: bytes([97 + place]) for place, state in enumerate(STATES)}
STATE_OF: Final = {97 + place: state for place, state in enumerate(STATES)}


def inverted(ms: int) -> bytes:
    """8 bytes that sort the newest first."""
    return (_LAST - ms).to_bytes(TIME_BYTES, "big")


def upright(inverted_ms: bytes) -> int:
    return _LAST - int.from_bytes(inverted_ms, "big")


def job_key(id: str) -> bytes:
    return JOB + id.encode()


@lru_cache(maxsize=4096)
def lane(task: str, state: str) -> bytes:
    """What index entries and the count of a task in a state have in common."""
    return _name(task) + b"\0" + STATE_LETTER[state]


def related(prefix: bytes, name: str) -> bytes:
    """What all entries of one event, parent, root or schedule begin with."""
    return prefix + _name(name) + b"\0"


def _name(text: str) -> bytes:
    return text.encode(errors="replace").replace(b"\0", b" ")


class Entry(NamedTuple):
    """One line of an index: inverted time and job id, as they sort."""

    time: bytes
    id: bytes


def entry_of(key: bytes, prefix: bytes) -> Entry:
    at = len(prefix)
    return Entry(key[at : at + TIME_BYTES], key[at + TIME_BYTES :])


def fold_key(topic: str, partition: int) -> bytes:
    return FOLD + topic.encode() + b"\0" + str(partition).encode()
