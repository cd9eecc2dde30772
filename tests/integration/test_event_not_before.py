"""Jobs of an event with `notbefore` start at that time."""

import datetime as dt
import time
from pathlib import Path

from schemas.cloudevent import CloudEvent
from tests.integration.observing import SOURCE, events_state, job_of, notes, observing, publish, topic_of
from tests.waiting import until

DELAY_SECONDS = 2.0


async def test_it_delays_the_jobs_of_an_event(broker: str, app_id: str, tmp_path: Path) -> None:
    due = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=DELAY_SECONDS)
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=40 * 365)
    async with observing(broker, app_id, tmp_path, "deferring"):
        await publish(
            broker,
            topic_of(app_id),
            *(
                CloudEvent(id=id, source=SOURCE, type="defer.past", data={}, extensions={"notbefore": text})
                for id, text in (("soon", due.isoformat()), ("years", later.isoformat()), ("bad", "soon"))
            ),
        )
        await until(lambda: notes(tmp_path, "started"))

        async def others_are_known() -> bool:
            state = await events_state(broker, app_id)
            return "" in state.letters and job_of("deferring", "years") in state.parked

        await until(others_are_known)
    first = notes(tmp_path, "started")[0]
    assert first.event_id == "soon"
    assert first.at >= due.timestamp()
    state = await events_state(broker, app_id)
    parked = state.parked[job_of("deferring", "years")]
    assert parked.document["state"] == "scheduled"
    assert parked.due_ms >= int(later.timestamp() * 1000) > time.time() * 1000
    assert [facts["headrace-reason"] for facts in state.letters[""]] == ["invalid"]
