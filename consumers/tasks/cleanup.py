"""Remove files by age, below folders that were set aside for it and nowhere else.

Only plain files go. Symbolic links are neither followed nor removed, and every file is removed through its
open folder, so that a folder exchanged for a link while we walk leads nowhere else. Folders stay.
"""

import os
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from consumers import Context, Fail, task
from consumers.tasks.equipment import equipment_of
from consumers.tasks.settings import PREFIX

DAY_SECONDS: Final = 86_400
NAMED_FILES: Final = 100
"""So many names are kept in the job's result; the counts are of all."""


@task(name="cleanup_files", max_tries=3, timeout=3600, max_jobs=1)
def cleanup_files(ctx: Context, root: str, older_than_days: float, dry_run: bool = False) -> dict[str, Any]:
    """Remove files below `root` last changed more than `older_than_days` days ago; with `dry_run` only name
    them.

    Fails for a root outside `reports` and `processed` of the data folder and HEADRACE_TASKS_CLEANUP_ROOTS.
    """
    if not older_than_days > 0:
        raise Fail(f"older_than_days is {older_than_days}, expected more than 0")
    folder = removable_root(Path(root), equipment_of(ctx).settings.removable_roots)
    before = time.time() - older_than_days * DAY_SECONDS
    swept = _Swept()
    for file in old_files(folder, before):
        if ctx.cancelled:
            break
        swept.take(file, dry_run=dry_run)
    return swept.document(dry_run=dry_run)


def removable_root(root: Path, allowed: Iterable[Path]) -> Path:
    """The real folder behind `root`. Raises Fail when files there are not ours to remove."""
    folder = root.resolve()
    for path in allowed:
        limit = path.resolve()
        if folder.is_relative_to(limit):
            if is_dangerous(limit):
                raise Fail(f"{limit} is too much to clean; name a folder of its own in {PREFIX}CLEANUP_ROOTS")
            if not folder.is_dir():
                raise Fail(f"{folder} is no folder")
            return folder
    raise Fail(f"{folder} may not be cleaned: it is not below a folder in {PREFIX}CLEANUP_ROOTS")


def is_dangerous(folder: Path) -> bool:
    """Whether old files there matter to more than us: a top folder, home, one we work in, or one above."""
    shallow = len(folder.parts) <= 2
    return shallow or any(place.is_relative_to(folder) for place in (Path.home().resolve(), Path.cwd()))


@dataclass(frozen=True, slots=True)
class OldFile:
    path: Path
    name: str
    folder_descriptor: int
    size_bytes: int

    def remove(self) -> None:
        os.unlink(self.name, dir_fd=self.folder_descriptor)


def old_files(root: Path, before: float) -> Iterator[OldFile]:
    """Plain files last changed before a time (seconds since 1970), each good until the next is asked for."""
    for folder, _, names, descriptor in os.fwalk(root, follow_symlinks=False):
        for name in sorted(names):
            try:
                found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            except FileNotFoundError:  # somebody else was faster
                continue
            if stat.S_ISREG(found.st_mode) and found.st_mtime < before:
                yield OldFile(Path(folder, name), name, descriptor, found.st_size)


class _Swept:
    def __init__(self) -> None:
        self.files = 0
        self.size_bytes = 0
        self.names: list[str] = []
        self.errors: list[str] = []

    def take(self, file: OldFile, *, dry_run: bool) -> None:
        try:
            if not dry_run:
                file.remove()
        except OSError as error:  # one file that stays is no reason to leave the others
            self.errors.append(f"{file.path}: {error.strerror}")
            return
        self.files += 1
        self.size_bytes += file.size_bytes
        if len(self.names) < NAMED_FILES:
            self.names.append(str(file.path))

    def document(self, *, dry_run: bool) -> dict[str, Any]:
        return {
            "dry_run": dry_run,
            "files": self.files,
            "bytes": self.size_bytes,
            "names": self.names,
            "errors": self.errors[:NAMED_FILES],
        }
