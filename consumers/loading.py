"""Import the task modules and give the registry they filled.

What is wrong with them stops the worker at boot, with the file and line to look at. Importing them runs code
of the user: one of the files with a catch-all.
"""

import importlib
import os
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final

from consumers.errors import BootError, TaskModuleFailed, TaskModuleNotFound
from consumers.own_packages import NAMES, OURS, check_own_packages, hidden_by_ours

if TYPE_CHECKING:
    from consumers.registry import Registry

__all__ = ["check_own_packages", "load"]


def load(modules: Sequence[str]) -> "Registry":
    """The current registry, with the tasks of these modules. The working directory is on Python's path.

    Raises HiddenPackage, TaskModuleNotFound, TaskModuleFailed, InvalidTask, DuplicateTask.
    """
    check_own_packages()
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)
    from consumers.registry import current

    registry = current()
    for module in modules:
        registry.loading = module
        _load_one(module)
    registry.loading = None
    registry.check()
    return registry


def _load_one(module: str) -> None:
    try:
        importlib.import_module(module)
    except BootError:
        raise
    except (Exception, SystemExit) as error:
        raise _explained(module, error) from error


def _explained(module: str, error: BaseException) -> BootError:
    if isinstance(error, ModuleNotFoundError) and error.name and _is_part_of(error.name, module):
        return TaskModuleNotFound(
            f"task module {module!r}: there is no {error.name!r} in {os.getcwd()} or on Python's path; "
            "correct HEADRACE_TASK_MODULES, or start where the module is"
        )
    place, hint = _place(error), ""
    if isinstance(error, ModuleNotFoundError) and error.name:
        hidden = hidden_by_ours(error.name)
        if hidden is not None:
            hint = f"\n{hidden} cannot be found because Headrace's own package has this name: rename it"
    what = str(error) or "no message"
    return TaskModuleFailed(f"task module {module!r}: {place}: {type(error).__name__}: {what}{hint}")


def _is_part_of(missing: str, module: str) -> bool:
    """Whether the module itself is missing, or a package around it, rather than something it imports."""
    return missing == module or module.startswith(missing + ".")


def _place(error: BaseException) -> str:
    """`file:line` of the user's line that failed: the innermost that is in no library."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = _frames(error.__traceback__)
    users = [(file, line) for file, line in frames if not _is_library(file)]
    file, line = (users or frames or [("unknown file", 0)])[-1]
    return f"{file}:{line}"


def _frames(traceback: TracebackType | None) -> list[tuple[str, int]]:
    frames = []
    while traceback is not None:
        frames.append((traceback.tb_frame.f_code.co_filename, traceback.tb_lineno))
        traceback = traceback.tb_next
    return frames


def _is_library(file: str) -> bool:
    own_tasks = OURS / "consumers" / "tasks"
    if file.startswith("<") or Path(file).is_relative_to(own_tasks):
        return file.startswith("<")
    return any(Path(file).is_relative_to(folder) for folder in _LIBRARIES)


_LIBRARIES: Final[tuple[str | Path, ...]] = (
    *(sysconfig.get_paths()[kind] for kind in ("stdlib", "purelib", "platlib")),
    *(OURS / name for name in NAMES),
)
