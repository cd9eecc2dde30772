"""Whether Python finds our own packages under their names, or somebody else's.

Standard library only: this runs before anything that could fail because of what it looks for.
"""

import importlib.machinery
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from consumers.errors import HiddenPackage

OURS = Path(__file__).resolve().parent.parent
NAMES = ("consumers", "events", "schemas")


def check_own_packages(path: Sequence[str] | None = None) -> None:
    """Raise HiddenPackage when a `schemas`, `events` or `consumers` of the user stands before ours.

    Looks where task modules are imported from, unless told another path.
    """
    path = search_path() if path is None else path
    for name in NAMES:
        # Both: what is imported may be ours and still hide a package the user's tasks mean.
        for found in (_already_imported(name), _first_on(path, name)):
            if found is not None and not _is_ours(found, name):
                raise HiddenPackage(_advice(found, name))


def _advice(found: Path, name: str) -> str:
    folder = found.parent if found.name == "__init__.py" else found
    return (
        f"{found}:1: your package {name!r} has the name of one of Headrace's, so one hides the other. "
        f"Rename {folder}, for example to my_{name}, and its imports; ours is {OURS / name}"
    )


def search_path() -> list[str]:
    """Where task modules are looked for: the working directory first, as `python -m` does."""
    here = os.getcwd()
    return [here, *(entry for entry in sys.path if entry not in ("", here))]


def hidden_by_ours(module: str) -> Path | None:
    """The user's own package a missing module such as `schemas.orders` was probably meant to be in."""
    name = module.partition(".")[0]
    if name not in NAMES:
        return None
    for entry in search_path():
        candidate = Path(entry, *module.split("."))
        if candidate.with_suffix(".py").is_file() or (candidate / "__init__.py").is_file():
            return Path(entry, name)
    return None


def _already_imported(name: str) -> Path | None:
    file = getattr(sys.modules.get(name), "__file__", None)
    return Path(file).resolve() if file else None


def _first_on(path: Sequence[str], name: str) -> Path | None:
    spec = importlib.machinery.PathFinder.find_spec(name, list(path))
    return Path(spec.origin).resolve() if spec is not None and spec.origin else None


def _is_ours(found: Path, name: str) -> bool:
    ours = OURS / name / "__init__.py"
    if found == ours:
        return True
    # Another copy of this very package: the worker was started in a checkout of Headrace.
    return found.name == "__init__.py" and found.read_bytes() == ours.read_bytes()
