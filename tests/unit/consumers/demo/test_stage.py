"""Folders and processes of the demo: it touches nothing that is not its own."""

import signal
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from consumers.demo import stage as module
from consumers.demo import worker_process
from consumers.demo.chores import read_reports
from consumers.demo.errors import DemoError, WorkerEnded
from consumers.demo.stage import clear, stage
from consumers.demo.worker_process import WorkerProcess, environment_of


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(DemoError, match="not empty and not the demo's: name another with --folder"):
        clear(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_its_own_folder_is_emptied(tmp_path: Path) -> None:
    folder = clear(tmp_path / "demo")
    (folder / "worker-1.log").write_text("old")
    (folder / "broker").mkdir()
    assert clear(folder) == folder
    assert sorted(path.name for path in folder.iterdir()) == [".headrace-demo", "data"]
    assert (folder / "data" / "reports").is_dir()


def test_a_process_of_the_demo_gets_the_way_to_kafka_and_no_other_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HEADRACE_SASL_USERNAME", "ann")
    monkeypatch.setenv("HEADRACE_INSTANCE_ID", "worker-0")
    monkeypatch.setenv("LANG", "C")
    environment = environment_of({"HEADRACE_PORT": "1"})
    assert environment["HEADRACE_SASL_USERNAME"] == "ann"
    assert environment["HEADRACE_PORT"] == "1"
    assert environment["LANG"] == "C"
    assert "HEADRACE_INSTANCE_ID" not in environment


def test_a_worker_that_ends_is_told_with_the_end_of_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        worker_process, "HEADRACE", (sys.executable, "-c", "print('no Kafka'); raise SystemExit(3)")
    )
    worker = WorkerProcess(name="worker-1", folder=tmp_path, settings={})
    with pytest.raises(WorkerEnded, match="never started"):
        worker.check()
    worker.start()
    with pytest.raises(WorkerEnded, match=r"worker-1 ended \(exit code 3\)(?s:.*)no Kafka"):
        worker.wait_ready()
    assert worker.metrics() == ""
    worker.stop()


def test_a_worker_that_will_not_stop_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    monkeypatch.setattr(worker_process, "HEADRACE", (sys.executable, "-c", stubborn))
    monkeypatch.setattr(worker_process, "STOP_SECONDS", 0.2)
    worker = WorkerProcess(name="worker-1", folder=tmp_path, settings={})
    worker.start()
    worker.check()
    worker.stop()
    with pytest.raises(WorkerEnded, match="exit code -"):
        worker.check()


def test_what_was_started_is_stopped_when_the_rest_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = []

    def build(folder: Path, stack: ExitStack, say: object, gateway_port: object) -> None:
        stack.callback(lambda: stopped.append(signal.getsignal(signal.SIGINT)))
        raise DemoError("no topics")

    monkeypatch.setattr(module, "_build", build)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(DemoError, match="no topics"), stage(tmp_path / "demo", print):
        pass
    assert stopped == [signal.SIG_IGN]
    assert signal.getsignal(signal.SIGINT) is before


def test_reports_are_summed_and_missing_ones_are_nothing(tmp_path: Path) -> None:
    table = tmp_path / "2013-07-10.csv"
    table.write_text("carrier,departed,arrived,cancelled\nUA,3,2,1\nAA,1,1,0\n")
    sums = read_reports([table, tmp_path / "2013-07-11.csv", tmp_path / "2013-07-10.html"])
    assert sums == {"departed": 4, "arrived": 3, "cancelled": 1}
