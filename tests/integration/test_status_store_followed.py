"""Who follows a database sees all that its writer said to have written, through flushes and kills of it."""

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any

from events.status.store import open_following
from tests.integration.store_writer import WRITES_A_WORD, batch

LIVES = 5
WORDS = 60
MEMTABLE_BYTES = 150_000


@contextmanager
def writer(folder: Path) -> "Iterator[Connection[Any, int]]":
    """One that is killed in the end, in the middle of what it does."""
    ours, theirs = Pipe()
    command = [sys.executable, "-m", "tests.integration.store_writer"]
    with ours:
        with theirs:
            process = subprocess.Popen(
                [*command, str(theirs.fileno()), str(folder), str(MEMTABLE_BYTES)],
                pass_fds=[theirs.fileno()],
                stderr=subprocess.DEVNULL,
            )
        try:
            yield ours
        finally:
            process.kill()
            process.wait()


def test_all_that_was_said_to_be_written_is_seen(tmp_path: Path) -> None:
    chance = random.Random(7)
    view = None
    expected: dict[bytes, bytes | None] = {}
    modelled = 1
    for _ in range(LIVES):
        with writer(tmp_path) as connection:
            said = connection.recv()
            view = view or open_following(tmp_path)
            view.open_again()
            connection.send("go on")
            for _ in range(WORDS):
                for _ in range(WRITES_A_WORD):
                    said = connection.recv()
                connection.send("go on")  # it writes while we follow
                view.catch_up(said)
                written = view.written
                assert written >= max(said, modelled)
                recent: list[bytes] = []
                while modelled < written:
                    modelled += 1
                    changed = dict(batch(modelled))
                    expected |= changed
                    recent += changed
                asked = recent + chance.sample(sorted(expected), 50)
                assert view.get_many(asked) == [expected[key] for key in asked]
    assert view is not None
    view.close()
