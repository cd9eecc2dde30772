"""Faults, one after the other, each when the group works again and its victim is in the middle of work."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal

from tests.acceptance.chaos.crew import CrewMember
from tests.waiting import until

FaultKind = Literal["kill", "term", "freeze"]

FREEZE_SECONDS = (8.0, 9.0)
OWN_PROGRESS = 30  # attempts begun by the victim since the last fault
RECOVERY_SECONDS = 120.0


@dataclass(frozen=True)
class Fault:
    kind: FaultKind
    empty_disk: bool = False


def plan_of(count: int, dice: random.Random) -> list[Fault]:
    """A third freezes, a fifth orderly stops, the rest kills; a third of the restarts find an empty disk."""
    freezes = max(1, round(count / 3))
    stops = max(1, count // 5)
    kinds: dict[FaultKind, int] = {"term": stops, "kill": count - freezes - stops}
    restarts = [kind for kind, many in kinds.items() for _ in range(many)]
    dice.shuffle(restarts)
    faults = [Fault(kind, empty_disk=number % 3 == 0) for number, kind in enumerate(restarts)]
    faults += [Fault("freeze")] * freezes
    dice.shuffle(faults)
    return faults


class Storm:
    """Brings a plan of faults over a crew. Only those count that hit work in flight, others are repeated."""

    def __init__(
        self,
        *,
        crew: list[CrewMember],
        plan: list[Fault],
        progress: int,
        dice: random.Random,
        say: Callable[[str], None],
    ) -> None:
        """`progress` is how many attempts the crew begins between two faults."""
        self._progress = progress
        self._crew = crew
        self._plan = list(plan)
        self._dice = dice
        self._say = say
        self._after: set[asyncio.Task[None]] = set()
        self.hits: Counter[str] = Counter()
        self.empty_disks = 0
        self.over = False

    async def run(self) -> None:
        try:
            while self._plan:
                fault = self._plan.pop()
                if not await self._strike(fault):
                    self._plan.insert(0, fault)
            await asyncio.gather(*self._after)
        finally:
            self.over = True

    async def _strike(self, fault: Fault) -> bool:
        """Do it and leave the recovery to go on beside. Returns whether it hit work."""
        before = self._begun()
        own = {member.name: member.life.progress.started for member in self._crew}
        lives = {member.name: member.life.name for member in self._crew}

        def busy() -> list[CrewMember]:
            if sum(self._begun().values()) - sum(before.values()) < self._progress:
                return []
            return [each for each in self._crew if not each.out and self._is_busy(each, own, lives)]

        candidates: list[CrewMember] = await until(
            lambda: busy() if self._alive() else [], within_seconds=RECOVERY_SECONDS, saying="work"
        )
        victim = self._dice.choice(candidates)
        victim.out, name = True, victim.life.name
        if fault.kind == "freeze":
            hit = victim.freeze()
            self._later(self._thaw_later(victim))
        elif fault.kind == "kill":
            hit = await victim.kill()
            await self._restart(victim, fault)
        else:
            hit = victim.tell_to_stop()
            self._later(self._restart_once_stopped(victim, fault))
        return self._counted(fault, name, hit)

    def _begun(self) -> dict[str, int]:
        for member in self._crew:
            member.life.progress.look()
        return {life.name: life.progress.started for member in self._crew for life in member.lives}

    def _is_busy(self, member: CrewMember, own: dict[str, int], lives: dict[str, str]) -> bool:
        began_at = own[member.name] if lives[member.name] == member.life.name else 0
        return member.running() > 0 and member.life.progress.started - began_at >= OWN_PROGRESS

    def _alive(self) -> bool:
        for member in self._crew:
            died = member.died()
            if died:
                raise RuntimeError(died)
        for task in self._after:
            if task.done():
                task.result()
        return True

    def _counted(self, fault: Fault, name: str, hit: int) -> bool:
        disk = " and lost its disk" if fault.empty_disk else ""
        self._say(f"{fault.kind} hit {name}{disk}, {hit} attempts in flight")
        if hit:
            self.hits[fault.kind] += 1
            self.empty_disks += fault.empty_disk
        return hit > 0

    async def _thaw_later(self, victim: CrewMember) -> None:
        # Not a fact to wait for: the freeze has to be longer than the session.
        await asyncio.sleep(self._dice.uniform(*FREEZE_SECONDS))
        victim.thaw()
        victim.out = False

    async def _restart_once_stopped(self, victim: CrewMember, fault: Fault) -> None:
        await victim.stopped()
        await self._restart(victim, fault)

    async def _restart(self, victim: CrewMember, fault: Fault) -> None:
        if fault.empty_disk:
            victim.lose_disk()
        await victim.launch()
        victim.out = False

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        self._after.add(asyncio.create_task(work))
