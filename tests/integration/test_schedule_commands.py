"""A schedule can be paused, resumed and run now; the answer says what happened."""

from pathlib import Path

from schemas.command import Answer, Command
from tests.integration.scheduling import command, cursor, scheduling, ticks
from tests.waiting import until

SCHEDULES = {"often": {"every": 1}, "yearly": {"month": 1}}


async def test_pause_resume_and_run_now(broker: str, app_id: str, tmp_path: Path) -> None:
    async with scheduling(broker, app_id, tmp_path, SCHEDULES):
        await until(lambda: ticks(tmp_path, "often"))
        for _ in range(2):  # asked twice, it is paused all the same
            answer = await command(broker, app_id, Command.PAUSE_SCHEDULE, "often")
            assert answer.answer is Answer.PAUSED
        stands = await cursor(broker, app_id, "often")
        assert stands is not None
        assert stands["paused"]
        assert not ticks(tmp_path, "yearly")
        answer = await command(broker, app_id, Command.RUN_SCHEDULE, "yearly")
        assert answer.answer is Answer.STARTED
        await until(lambda: len(ticks(tmp_path, "yearly")) == 1)
        assert (await command(broker, app_id, Command.RUN_SCHEDULE, "often")).answer is Answer.STARTED
        last_ms = stands["last_ms"]
        await until(lambda: any(moment > last_ms for moment in ticks(tmp_path, "often")))
        assert (await command(broker, app_id, Command.RESUME_SCHEDULE, "often")).answer is Answer.RESUMED
        await until(
            lambda: sum(moment % 1000 == 0 and moment > last_ms for moment in ticks(tmp_path, "often")) > 1
        )
        unknown = await command(broker, app_id, Command.PAUSE_SCHEDULE, "nobody")
        assert unknown.answer is Answer.UNKNOWN_SCHEDULE
    resumed = await cursor(broker, app_id, "often")
    assert resumed is not None
    assert not resumed["paused"]
