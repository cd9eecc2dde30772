"""What goes wrong and is dealt with, as the workers' logs tell it, in a sentence each."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson


class Happenings:
    """Follows log files; each line is told once."""

    def __init__(self, logs: Iterable[Path]) -> None:
        self._read_bytes = dict.fromkeys(logs, 0)

    def new(self) -> list[str]:
        """The sentences since the last call."""
        return [told for log in self._read_bytes for line in self._lines(log) if (told := sentence(line))]

    def _lines(self, log: Path) -> Iterator[Mapping[str, Any]]:
        if not log.exists():
            return
        with log.open("rb") as file:
            file.seek(self._read_bytes[log])
            for line in file:
                if not line.endswith(b"\n"):  # still being written
                    break
                self._read_bytes[log] += len(line)
                if line.startswith(b"{"):
                    try:
                        yield orjson.loads(line)
                    except ValueError:
                        continue  # a library printed something that looks like ours


def sentence(line: Mapping[str, Any]) -> str | None:
    """A log line in words, None for one that tells no trouble."""
    job = f"{line.get('task')} {line.get('event_id')}"
    error = str(line.get("error", ""))[:70]
    match line.get("event"):
        case "task_retrying" if error:
            return (
                f"retrying   {job}: {error}; attempt {line['attempt'] + 1} in {line['defer_seconds']:.1f} s"
            )
        case "task_dead_lettered":
            job = (
                job
                if line.get("task")
                else f"{line.get('topic')} {line.get('partition')}:{line.get('offset')}"
            )
            return f"dead       {job}: {error} ({line.get('reason')})"
        case "task_expired":
            return f"expired    {job}: {error}"
        case _:
            return None
