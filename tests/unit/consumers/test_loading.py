import subprocess
import sys
import textwrap

import pytest

from consumers import own_packages
from consumers.errors import DuplicateTask, HiddenPackage, InvalidTask, TaskModuleFailed, TaskModuleNotFound
from consumers.loading import check_own_packages, load
from consumers.registry import Registry, load_sources, using
from consumers.settings import WorkerSettings

GOOD = """
    from consumers import task

    @task
    async def greet(ctx, name: str): ...
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    with using(Registry()):
        yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))
    return path


def test_a_module_in_the_working_directory_is_found(folder):
    write(folder / "loading_a.py", GOOD)
    write(folder / "loading_b" / "tasks.py", GOOD.replace("greet", "part"))
    assert set(load(["loading_a", "loading_b.tasks"]).tasks) == {"greet", "part"}


def test_sources_come_from_the_task_modules(folder):
    write(
        folder / "loading_s.py",
        """
        from consumers import task
        @task(on="a", topic="letters")
        async def read(ctx, event): ...
        """,
    )
    sources = load_sources(WorkerSettings(task_modules=("loading_s",)))
    assert [source.name for source in sources] == ["letters", "jobs"]


@pytest.mark.parametrize("name", ["loading_nowhere", "loading_nowhere.tasks", "loading_pkg.nowhere"])
def test_a_module_that_is_not_there(folder, name):
    write(folder / "loading_pkg" / "__init__.py", "")
    with pytest.raises(TaskModuleNotFound) as caught:
        load([name])
    assert repr(name) in str(caught.value)
    assert "HEADRACE_TASK_MODULES" in str(caught.value)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("import nowhere_at_all", "ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("from json import nothing", "ImportError: cannot import name 'nothing'"),
        ("import json; json.loads('{')", "JSONDecodeError"),
        ("1 / 0", "ZeroDivisionError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("def broken(:", "SyntaxError"),
        ("raise KeyError()", "KeyError: no message"),
    ],
)
def test_what_a_module_raises_is_told_with_file_and_line(folder, line, said):
    path = write(folder / "loading_broken.py", f"import os\n\n{line}\n")
    with pytest.raises(TaskModuleFailed) as caught:
        load(["loading_broken"])
    assert f"{path}:3: " in str(caught.value)
    assert said in str(caught.value)


def test_the_line_is_told_of_the_module_that_failed_inside(folder):
    write(folder / "loading_outer.py", "import loading_inner\n")
    inner = write(folder / "loading_inner.py", "\n\n\nimport nowhere_at_all\n")
    with pytest.raises(TaskModuleFailed, match=f"{inner}:4"):
        load(["loading_outer"])


def test_tasks_that_cannot_be_are_told_with_file_and_line(folder):
    path = write(folder / "loading_options.py", GOOD.replace("@task", "@task(max_retries=3)"))
    with pytest.raises(
        InvalidTask, match=f"{path}:4: task 'greet': unknown option 'max_retries': use max_tries"
    ):
        load(["loading_options"])


def test_two_tasks_of_one_name_in_two_modules(folder):
    first = write(folder / "loading_one.py", GOOD)
    second = write(folder / "loading_two.py", "\n\n" + GOOD)
    with pytest.raises(DuplicateTask) as caught:
        load(["loading_one", "loading_two"])
    assert f"{first}:4" in str(caught.value)
    assert f"{second}:6" in str(caught.value)


def test_links_between_tasks_are_checked(folder):
    write(folder / "loading_link.py", GOOD.replace("@task", "@task(on_failure='nowhere')"))
    with pytest.raises(InvalidTask, match="'nowhere' is not registered"):
        load(["loading_link"])


# -- our own packages


def test_the_command_says_so_without_a_traceback(folder):
    path = write(folder / "events" / "__init__.py", "")
    program = (
        f"import sys; sys.path[:0] = [{str(folder)!r}, {str(own_packages.OURS)!r}]; "
        "from consumers.cli import main; main(['--help'])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"headrace: {path}:1: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", own_packages.NAMES)
@pytest.mark.parametrize("file", ["{}/__init__.py", "{}.py"])
def test_a_package_that_hides_ours_is_named(folder, name, file):
    path = write(folder / file.format(name), "mine = 1\n")
    with pytest.raises(HiddenPackage) as caught:
        check_own_packages()
    said = str(caught.value)
    assert said.startswith(f"{path}:1: ")
    assert f"Rename {path.parent if path.name == '__init__.py' else path}," in said


def test_folders_of_other_things_do_not_hide_ours(folder):
    write(folder / "schemas" / "order.json", "{}")
    check_own_packages()


def test_a_checkout_of_headrace_is_no_stranger(folder):
    for name in own_packages.NAMES:
        write(folder / name / "__init__.py", (own_packages.OURS / name / "__init__.py").read_text())
    check_own_packages()


def test_a_module_hidden_by_ours_is_explained(folder):
    write(folder / "schemas" / "my_orders.py", "mine = 1\n")  # no __init__.py: ours wins
    path = write(folder / "loading_hidden.py", "from schemas.my_orders import mine\n")
    with pytest.raises(TaskModuleFailed) as caught:
        load(["loading_hidden"])
    assert f"{path}:1" in str(caught.value)
    assert f"{folder / 'schemas'} cannot be found because Headrace's own package has this name" in str(
        caught.value
    )
    write(folder / "loading_plain.py", "import schemas.nowhere_either\n")
    with pytest.raises(TaskModuleFailed) as caught:
        load(["loading_plain"])
    assert "own package has this name" not in str(caught.value)


def test_the_check_needs_nothing_it_may_find_hidden(folder):
    """In a process of its own, where the stranger is really found first."""
    write(folder / "schemas" / "__init__.py", "")
    write(folder / "events" / "__init__.py", "")
    program = "from consumers.loading import check_own_packages; check_own_packages()"
    path = f"import sys; sys.path[:0] = [{str(folder)!r}, {str(own_packages.OURS)!r}]; "
    done = subprocess.run([sys.executable, "-c", path + program], capture_output=True, text=True, check=False)
    assert "HiddenPackage" in done.stderr
    assert f"{folder / 'events' / '__init__.py'}:1" in done.stderr
