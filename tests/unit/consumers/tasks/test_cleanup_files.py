import os
import time
from pathlib import Path

import pytest

from consumers import Fail
from consumers.tasks.cleanup import cleanup_files, is_dangerous, old_files, removable_root
from tests.unit.consumers.tasks.equipped import equipped

DAY_SECONDS = 86_400


def make(path: Path, age_days: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("content")
    changed = time.time() - age_days * DAY_SECONDS
    os.utime(path, (changed, changed))
    return path


def names(folder: Path, age_days: float) -> list[str]:
    return [file.name for file in old_files(folder, time.time() - age_days * DAY_SECONDS)]


def test_only_old_plain_files_are_found(tmp_path: Path) -> None:
    make(tmp_path / "old", 8)
    make(tmp_path / "deep" / "er" / "older", 80)
    make(tmp_path / "young", 6)
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    os.utime(tmp_path / "pipe", (0, 0))
    assert names(tmp_path, 7) == ["old", "older"]


def test_links_are_neither_followed_nor_removed(tmp_path: Path) -> None:
    outside = make(tmp_path / "outside" / "precious", 100)
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "folder").symlink_to(outside.parent)
    (inside / "file").symlink_to(outside)
    os.utime(inside / "file", (0, 0), follow_symlinks=False)
    assert names(inside, 7) == []


def test_a_folder_exchanged_for_a_link_leads_nowhere(tmp_path: Path) -> None:
    precious = make(tmp_path / "outside" / "old", 100)
    make(tmp_path / "inside" / "sub" / "old", 100)
    walk = old_files(tmp_path / "inside", time.time())
    file = next(walk)
    (tmp_path / "inside" / "sub").rename(tmp_path / "moved")
    (tmp_path / "inside" / "sub").symlink_to(precious.parent)
    file.remove()
    assert precious.exists()
    assert not (tmp_path / "moved" / "old").exists()


def test_roots_have_to_be_allowed(tmp_path: Path) -> None:
    allowed = tmp_path / "data" / "reports"
    (allowed / "2013").mkdir(parents=True)
    (allowed / "out").symlink_to(tmp_path)
    assert removable_root(allowed / "2013", [tmp_path / "other", allowed]) == allowed / "2013"
    for root in (
        tmp_path,
        allowed / ".." / "..",
        allowed / "out",
        Path("/"),
        Path.home(),
        allowed / "absent",
    ):
        with pytest.raises(Fail):
            removable_root(root, [allowed])


@pytest.mark.parametrize("folder", [Path("/"), Path("/usr"), Path.home(), Path.cwd(), Path.cwd().parent])
def test_allowing_too_much_is_refused(folder: Path) -> None:
    assert is_dangerous(folder)
    with pytest.raises(Fail, match="too much"):
        removable_root(folder, [folder])


def test_a_dry_run_names_what_the_run_then_removes(tmp_path: Path) -> None:
    ctx = equipped(tmp_path)
    reports = tmp_path / "reports"
    old, young = make(reports / "old.csv", 8), make(reports / "young.csv", 1)
    rehearsal = cleanup_files(ctx, root=str(reports), older_than_days=7, dry_run=True)
    assert old.exists()
    swept = cleanup_files(ctx, root=str(reports), older_than_days=7)
    assert not old.exists()
    assert young.exists()
    assert swept == {**rehearsal, "dry_run": False}
    assert swept["names"] == [str(old)]
    assert (swept["files"], swept["bytes"]) == (1, len("content"))
    assert cleanup_files(ctx, root=str(reports), older_than_days=7)["files"] == 0


def test_a_cancelled_sweep_stops(tmp_path: Path) -> None:
    ctx = equipped(tmp_path)
    old = make(tmp_path / "reports" / "old", 8)
    ctx.cancel()
    assert cleanup_files(ctx, root=str(tmp_path / "reports"), older_than_days=7)["files"] == 0
    assert old.exists()


@pytest.mark.parametrize("days", [0, -1, float("nan")])
def test_an_age_that_takes_everything_is_refused(tmp_path: Path, days: float) -> None:
    ctx = equipped(tmp_path)
    kept = make(tmp_path / "reports" / "kept", 8)
    with pytest.raises(Fail, match="older_than_days"):
        cleanup_files(ctx, root=str(tmp_path / "reports"), older_than_days=days)
    assert kept.exists()


def test_a_file_that_cannot_be_removed_is_told_and_the_others_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = equipped(tmp_path)
    first, second = make(tmp_path / "reports" / "a", 8), make(tmp_path / "reports" / "b", 8)
    unlink = os.unlink

    def refuse_first(name: str, *, dir_fd: int) -> None:
        if name == "a":
            raise PermissionError(1, "Operation not permitted")
        unlink(name, dir_fd=dir_fd)

    with monkeypatch.context() as patched:
        patched.setattr("os.unlink", refuse_first)
        swept = cleanup_files(ctx, root=str(tmp_path / "reports"), older_than_days=7)
    assert swept["errors"] == [f"{first}: Operation not permitted"]
    assert swept["files"] == 1
    assert not second.exists()
