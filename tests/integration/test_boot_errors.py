"""Wrong task modules or settings stop `headrace worker` at boot, said in one message."""

import os
import subprocess
import textwrap
from pathlib import Path

import pytest

from tests.integration.task_worker import HEADRACE
from tests.servers import free_port

GOOD = """
    from consumers import task

    @task(on="a.happened", topic="a")
    async def handle(ctx, event): ...
"""


def boot(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a worker with tasks in `folder`; nothing listens where it would look for Kafka."""
    environment = {
        "HEADRACE_TASK_MODULES": "my_tasks",
        "HEADRACE_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}",
        "HEADRACE_PORT": "0",
        "HEADRACE_HOST": "127.0.0.1",
        "HEADRACE_STATE_DIR": str(folder / "state"),
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), str(folder)]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    environment |= {f"HEADRACE_{name.upper()}": text for name, text in settings.items()}
    return subprocess.run(
        [*HEADRACE, "worker"],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("import nowhere_at_all", 1, "No module named 'nowhere_at_all'"),
        ("def broken(:", 1, "SyntaxError"),
        ("\n\n1 / 0", 3, "ZeroDivisionError"),
        (GOOD.replace('topic="a"', 'topic="a", max_retries=3'), 4, "use max_tries"),
        (GOOD.replace(', topic="a"', ""), 4, "topic"),
        (GOOD.replace("async def handle(ctx, event)", "async def handle()"), 4, "handle"),
        (GOOD + GOOD, 9, "two tasks are named 'handle'"),
    ],
)
def test_a_task_module_that_cannot_be_used(tmp_path: Path, text: str, line: int, said: str) -> None:
    write(tmp_path / "my_tasks.py", text)
    done = boot(tmp_path)
    assert done.returncode == 2
    assert f"{tmp_path / 'my_tasks.py'}:{line}" in done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_module_that_is_not_there(tmp_path: Path) -> None:
    done = boot(tmp_path)
    assert done.returncode == 2
    assert "HEADRACE_TASK_MODULES" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["schemas", "events"])
def test_a_package_that_hides_ours(tmp_path: Path, name: str) -> None:
    write(tmp_path / "my_tasks.py", GOOD)
    write(tmp_path / name / "__init__.py", "mine = 1\n")
    done = boot(tmp_path)
    assert done.returncode == 2
    assert f"{tmp_path / name / '__init__.py'}:1" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [("session_timeout_seconds", "soon"), ("max_jobs", "0"), ("port", "70000"), ("log_format", "xml")],
)
def test_a_setting_that_cannot_be_used(tmp_path: Path, name: str, value: str) -> None:
    write(tmp_path / "my_tasks.py", GOOD)
    done = boot(tmp_path, **{name: value})
    assert done.returncode == 2
    assert f"HEADRACE_{name.upper()}" in done.stderr
    assert value in done.stderr
    assert "Traceback" not in done.stderr
