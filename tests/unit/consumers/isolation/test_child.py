"""The inside of a child, in this process: what it is told, what it answers."""

import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from consumers.isolation.child import INTERRUPT, Child
from consumers.isolation.messages import Progressed, Request, StepDone, StepKept, Stop
from consumers.isolation.travelling import unpack_error
from consumers.registry import Registry, using
from schemas.cloudevent import CloudEvent
from schemas.state import Position, RawRecord
from tests.waiting import until_now


class Inside:
    """A child and the worker's end of its line."""

    def __init__(self) -> None:
        from tests.unit.consumers.isolation.test_processes import registry

        self.line, theirs = multiprocessing.Pipe()
        self.child = Child(theirs)
        with using(registry()):
            self.child.start_up(())
        self.listener = threading.Thread(target=self.child.listen, daemon=True)
        self.listener.start()

    def attempt(self, task: str, number: int = 1, **args: Any) -> Any:
        return self.child.attempt(
            pickle.dumps(
                Request(
                    number=number,
                    task=task,
                    id="j1",
                    event=CloudEvent(id="e1", source="/s", type="a.b"),
                    raw=RawRecord(b"k", None, (), 0),
                    position=Position("orders", 0, 5),
                    source="orders",
                    attempt=1,
                    deadline_ms=None,
                    steps=None,
                    origin=None,
                    seen={},
                    payload=None,
                    args=args,
                )
            )
        )


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inside]:
    ended: list[int] = []
    monkeypatch.setattr("consumers.isolation.child.os.killpg", lambda group, number: ended.append(number))
    made = Inside()
    before = signal.signal(INTERRUPT, made.child.interrupted)
    yield made
    made.line.close()
    made.listener.join(5)
    signal.signal(INTERRUPT, before)
    loop = made.child._loop
    loop.call_soon_threadsafe(loop.stop)
    until_now(lambda: not loop.is_running())
    loop.close()
    made.child._line.close()
    assert ended == [signal.SIGKILL], "without its worker it ends itself, and all it started"


def test_it_answers_with_the_result(inside):
    reply = inside.attempt("tell", value=3)
    assert reply.error is None
    assert (reply.result["pid"], reply.result["value"], reply.result["prepared"]) == (os.getpid(), 3, 1)


def test_a_task_it_does_not_know_is_said_so(inside):
    error = unpack_error(inside.attempt("nowhere").error)
    assert isinstance(error, LookupError)
    assert "HEADRACE_TASK_MODULES" in str(error)


def test_a_stop_that_came_before_its_attempt_is_not_missed(inside):
    inside.line.send(Stop(7, "timeout", "too long"))
    until_now(lambda: inside.child._stop is not None)
    assert inside.attempt("tell", 6).error is None, "it was meant for another"
    inside.line.send(Stop(8, "cancelled", "enough"))
    until_now(lambda: inside.child._stop is not None and inside.child._stop.number == 8)
    reply = inside.attempt("tell", 8)
    assert reply.error.failure.type == "consumers.errors.TaskCancelled"
    assert reply.saw_stop


def test_a_stop_interrupts_the_handler(inside):
    def stop() -> None:
        until_now(lambda: inside.child._running == 3)
        inside.line.send(Stop(3, "timeout", "too long"))

    thread = threading.Thread(target=stop)
    thread.start()
    reply = inside.attempt("hang", 3)
    thread.join()
    assert reply.error.failure.type == "consumers.errors.TaskTimeout"
    assert reply.error.failure.message == "too long"


@pytest.mark.parametrize("refused", [None, "it is too large"])
def test_steps_wait_for_the_workers_word(inside, refused):
    heard: list[object] = []

    def work() -> None:
        while len(heard) < (3 if refused is None else 2):
            message = inside.line.recv()
            heard.append(message)
            if isinstance(message, StepDone):
                inside.line.send(StepKept(message.number, message.name, refused))

    thread = threading.Thread(target=work)
    thread.start()
    reply = inside.attempt("send", 4)
    thread.join()
    assert heard[:2] == [Progressed(4, 1, 2.0, "half"), StepDone(4, "first", {"one": 1})]
    if refused is None:
        assert reply.result[2:] == [{"one": 1}, 2]
        assert [output.event.args for output in reply.outputs] == [{"value": 3}, {"value": 4}]
    else:
        assert reply.error.failure.message == refused


def test_its_last_functions_are_run(inside):
    ended: list[str] = []
    registry = Registry()
    registry.shutdown = [lambda state: 1 / 0, lambda state: ended.append("ended")]
    inside.child._registry = registry
    inside.child.shut_down()
    assert ended == ["ended"], "though the first one failed"
