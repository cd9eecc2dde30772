"""Forgetting joins whose follower has ended. Not at once: what failed may be sent again, and needs them."""

from typing import Final

from consumers.engine.partition import Partition
from consumers.engine.statedb import Change
from consumers.workflows import join as joins
from consumers.workflows.join import Join
from schemas.job import JobState
from schemas.state import decode_state, header_of

LONGEST_MS: Final = 30 * 24 * 3600 * 1000
"""A join nothing has become of in this time is given up."""
AT_ONCE: Final = 1_000
_MAY_RUN_AGAIN: Final = (JobState.FAILED.value, JobState.EXPIRED.value, JobState.CANCELLED.value)


async def forget_joins(partition: Partition, known: dict[str, Join], now_ms: int) -> None:
    """Remove the records of joins that are over."""
    retry, ledger = partition.retry.db, partition.ledger.db
    if retry is None or ledger is None or partition.lost:
        return
    for id in joins.ids(retry):
        join = known.get(id) or joins.load(retry, id)
        if join is None:
            continue
        value = ledger.get([join.follow_id.encode()])[0]
        if is_over(join, value, now_ms) and join.follow_id not in partition.in_flight:
            numbers = sorted(join.arrived)
            for start in range(0, len(numbers), AT_ONCE):
                await partition.settlement.keep(join.nothing(numbers[start : start + AT_ONCE]))
            await partition.settlement.keep(_last(join))
            known.pop(id, None)


def is_over(join: Join, finished: bytes | None, now_ms: int) -> bool:
    """Whether nobody will ask for the results of a join, given the ledger record of its follower."""
    if finished is None:
        return now_ms - join.opened_ms > LONGEST_MS
    if not join.complete:
        return False
    expires_ms = header_of(finished)[1]
    return 0 < expires_ms <= now_ms or decode_state(finished).document.get("state") not in _MAY_RUN_AGAIN


def _last(join: Join) -> list[Change]:
    return join.end()
