"""What may happen in a history, in any order and at any time.

A history is bytes, two for a step: which one, and its argument. Shrinking bytes shrinks the history.
"""

from collections.abc import Callable
from typing import Any, Final

from aiokafka.errors import NotEnoughReplicasError

from tests.model.kafka import Request
from tests.model.rules import Violation
from tests.model.worker import SESSION_SECONDS, SimWorker
from tests.model.world import World

TICKS: Final = (0.05, 0.6, 1.1, 2.1, SESSION_SECONDS + 1)
Step = Callable[[World, int], None]


def _on(worker_of: Callable[[World, int], SimWorker | None], act: Callable[..., Any]) -> Step:
    def step(world: World, argument: int) -> None:
        worker = worker_of(world, argument)
        if worker is not None:
            act(world, worker, argument // 2)

    return step


def _any(world: World, argument: int) -> SimWorker | None:
    return world.workers[argument % len(world.workers)] if world.workers else None


def _running(world: World, argument: int) -> SimWorker | None:
    running = [worker for worker in world.workers if not worker.frozen]
    return running[argument % len(running)] if running else None


def _deliver(world: World, worker: SimWorker, argument: int) -> None:
    worker.drain()
    world.go_on()
    if argument % 4:
        for request in worker.heads():
            if request.lane == "fetch":
                world.answer(worker, request)
        world.go_on()
        if argument % 4 > 1:
            worker.take()


def _one(worker: SimWorker, argument: int) -> Request | None:
    heads = worker.heads()
    return heads[argument % len(heads)] if heads else None


def _ack(world: World, worker: SimWorker, argument: int) -> None:
    request = _one(worker, argument)
    if request is not None:
        world.answer(worker, request)


def _ack_all(world: World, worker: SimWorker, argument: int) -> None:
    for request in worker.heads():
        world.answer(worker, request)


def _fail(world: World, worker: SimWorker, argument: int) -> None:
    """The answer is an error that may be tried again; the broker did it all the same, or did not."""
    request = _one(worker, argument // 2)
    if request is not None and not worker.frozen and request.lane not in ("fetch", "commit"):
        if argument % 2:
            request.happen()
        world.answer(worker, request, NotEnoughReplicasError())


def _unheard(world: World, worker: SimWorker, argument: int) -> None:
    request = _one(worker, argument)
    if request is not None and request.lane != "fetch":
        request.happen()


def _drop(world: World, worker: SimWorker, argument: int) -> None:
    if worker.channel:
        worker.channel.popleft()


def _detach(world: World, worker: SimWorker, argument: int) -> None:
    if worker.runs:
        job = worker.runs[argument % len(worker.runs)].job
        if not job.detached:
            job.detached = True
            worker.loop.call_soon(worker.runners.detach, job)


def _freeze(world: World, worker: SimWorker, argument: int) -> None:
    worker.frozen = True


def _take_over(world: World, worker: SimWorker, argument: int) -> None:
    """The worker freezes past its session, and another one has its partitions."""
    world.start(1 - "AB".index(worker.name))
    worker.frozen = True
    world.pass_time(SESSION_SECONDS + 1)
    world.calm()


def _thaw(world: World, argument: int) -> None:
    for worker in world.workers:
        worker.frozen = False


def _arm(world: World, worker: SimWorker, argument: int) -> None:
    worker.writes_left = argument % 3


def _start(world: World, argument: int) -> None:
    world.start(argument % 2, empty=argument // 2 % 3 == 0)


def _rebalance(world: World, argument: int) -> None:
    world.kafka.group.rebalance()


STEPS: Final[dict[str, tuple[int, Step]]] = {
    "publish": (32, lambda world, argument: world.publish(argument)),
    "deliver": (46, _on(_running, _deliver)),
    "take": (10, _on(_running, lambda world, worker, argument: worker.take())),
    "finish": (36, _on(_running, lambda world, worker, argument: world.finish(worker, argument))),
    "ack": (30, _on(_any, _ack)),
    "ack_all": (14, _on(_any, _ack_all)),
    "commit": (12, _on(_running, lambda world, worker, argument: worker.spawn(worker.consumer.commit()))),
    "tick": (16, lambda world, argument: world.pass_time(TICKS[argument % len(TICKS)])),
    "unheard": (5, _on(_any, _unheard)),
    "fail": (4, _on(_any, _fail)),
    "drop": (8, _on(_running, _drop)),
    "detach": (4, _on(_running, _detach)),
    "rebalance": (6, _rebalance),
    "kill": (5, _on(_any, lambda world, worker, argument: world.kill(worker))),
    "arm": (4, _on(_running, _arm)),
    "freeze": (3, _on(_running, _freeze)),
    "take_over": (8, _on(_running, _take_over)),
    "thaw": (4, _thaw),
    "start": (7, _start),
    "leave": (2, _on(_running, lambda world, worker, argument: world.leave(worker))),
}
TABLE: Final = [name for name, (weight, _) in STEPS.items() for _ in range(weight)]
assert len(TABLE) == 256, len(TABLE)


def run(history: bytes) -> World:
    """Play a history to its end. Raises `Violation`, whose notes are the steps."""
    world = World(partitions=1 + len(history) // 2 % 2)
    try:
        for at in range(0, len(history) - 1, 2):
            name, argument = TABLE[history[at]], history[at + 1]
            world.trace.append(f"{name}({argument})")
            STEPS[name][1](world, argument)
            world.go_on()
        world.trace.append("rest()")
        world.rest()
    except Violation as violation:
        violation.add_note(" ".join(world.trace))
        raise
    finally:
        world.close()
    return world
