"""Urgent jobs overtake, and low ones never starve: 8 : 4 : 1 while all of them wait for a slot."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

from tests.integration.asking import ask, asking
from tests.integration.observing import notes
from tests.integration.probing import probe
from tests.waiting import until

EACH = 26


async def test_high_goes_first_and_low_never_starves(broker: str, app_id: str, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    async with asking(broker, app_id, tmp_path, max_jobs=1) as (worker, queue):
        first = await ask(queue, "wait", gate=str(gate))
        await until(lambda: len(notes(tmp_path, "started")) == 1)
        priority: dict[str, Any] = {}
        for name in ("low", "normal", "high"):  # the urgent ones come last
            for _ in range(EACH):
                priority[(await ask(queue, "echo", {"priority": name})).job_id] = name

        async def all_wait() -> bool:
            _, text = await probe(worker, "/metrics")
            waiting = re.findall(r"^headrace_jobs_in_flight\{.*\} (\S+)$", text, re.MULTILINE)
            return sum(map(float, waiting)) == 1 + 3 * EACH

        await until(all_wait, within_seconds=30)
        gate.touch()
        await until(lambda: len(notes(tmp_path, "started")) == 1 + 3 * EACH, within_seconds=60)
        assert await first.result(timeout=30) == "through"
        order = [priority[note.job_id] for note in notes(tmp_path, "started")[1:]]
    assert Counter(order[:26]) == {"high": 16, "normal": 8, "low": 2}
    assert Counter(order) == {"high": EACH, "normal": EACH, "low": EACH}
