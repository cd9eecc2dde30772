"""The demo as a person starts it: it ends by itself, adds up, and leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from events.broker.engines import pick_engine
from events.broker.settings import BrokerSettings
from events.errors import ToolMissing
from tests.waiting import until_now

HEADRACE = [sys.executable, "-c", "from consumers.cli import main; main()"]
WHOLE_SECONDS = 240

started: "list[subprocess.Popen[str]]" = []


@pytest.fixture(autouse=True)
def kafka_can_run() -> None:
    """Missing Java skips here and fails in CI, as everywhere."""
    try:
        pick_engine(BrokerSettings())
    except ToolMissing as missing:
        if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
            raise
        pytest.skip(str(missing))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "demo"
    yield folder
    # The test said what it has to say; whatever it found still running must not go on.
    for demo in started:
        demo.kill()
        demo.communicate()
    started.clear()
    for pid in living(folder):
        os.kill(pid, signal.SIGKILL)


def start(folder: Path, *options: str) -> "subprocess.Popen[str]":
    demo = subprocess.Popen(
        [*HEADRACE, "demo", "--folder", str(folder), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder.parent,
        start_new_session=True,
    )
    started.append(demo)
    return demo


def living(folder: Path) -> list[int]:
    """Processes whose command line or environment names the folder: workers and Kafka, not the demo."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            about = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if f"{folder}/".encode() in about:
            found.append(int(process.name))
    return found


def story(folder: Path, demo: "subprocess.Popen[str]") -> str:
    """The end of everything a demo and its processes said."""
    demo.kill()
    said = dict(zip(("stdout", "stderr"), demo.communicate(), strict=True))
    said |= {log.name: log.read_text(errors="replace") for log in sorted(folder.glob("*.log"))}
    return "\n".join(f"-- {name}\n{text[-3000:]}" for name, text in said.items())


def test_a_short_play_ends_by_itself_and_adds_up(folder: Path) -> None:
    demo = start(folder, "--flights", "150", "--speed", "0")
    out, err = demo.communicate(timeout=WHOLE_SECONDS)
    assert demo.returncode == 0, out + err
    sums = [line for line in out.splitlines() if line.startswith(("✓", "✗"))]
    assert len(sums) == 9, out
    assert re.search(r"Look at every job: http://127\.0\.0\.1:\d+", out)
    assert all(line.startswith("✓") for line in sums), out
    assert re.search(r"✓ [\d,]+ events = [\d,]+ subscribed \+ \d+ unsubscribed \+ \d+ undecodable", out)
    jobs = re.search(
        r"✓ ([\d,]+) jobs = ([\d,]+) completed \+ (\d+) dead \+ (\d+) discarded \+ (\d+) skipped "
        r"\+ (\d+) expired \+ (\d+) parked",
        out,
    )
    assert jobs is not None, out
    whole, *parts = (int(count.replace(",", "")) for count in jobs.groups())
    assert whole == sum(parts)
    assert parts[-1] == 2  # what was put off to tomorrow and to next week
    for ending in ("html", "csv"):
        report = folder / "data" / "reports" / f"2013-07-10.{ending}"
        assert f"Report: {report}" in out
        assert report.stat().st_size > 0
    assert living(folder) == []


def test_an_interrupted_play_leaves_nothing_behind(folder: Path) -> None:
    demo = start(folder, "--flights", "100", "--speed", "10")
    log = folder / "worker-1.log"
    try:
        until_now(
            lambda: demo.poll() is not None or (log.exists() and "task_completed" in log.read_text()),
            within_seconds=WHOLE_SECONDS,
            saying="the play began",
        )
    except AssertionError as late:
        raise AssertionError(f"{late}\n{story(folder, demo)}") from None
    running = living(folder)
    demo.send_signal(signal.SIGINT)
    out, err = demo.communicate(timeout=WHOLE_SECONDS)
    assert demo.returncode == 130, out + err
    assert running
    assert "Interrupted; everything is stopped." in out
    assert "Traceback" not in err
    assert living(folder) == []


def test_a_folder_of_somebody_else_is_refused_before_anything_starts(folder: Path) -> None:
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    demo = start(folder)
    _, err = demo.communicate(timeout=WHOLE_SECONDS)
    assert demo.returncode == 1
    assert err.strip() == (f"headrace: {folder} is not empty and not the demo's: name another with --folder")
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]
