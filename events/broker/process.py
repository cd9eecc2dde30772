"""A process known by its id across runs of ours.

Process ids are reused, so an id counts only while the command line behind it still ends in our
mark, the path of its own properties file.
"""

import os
import signal
import subprocess
import time
from pathlib import Path

POLL_SECONDS = 0.05


def command_line(pid: int) -> str:
    """The command line of a living process; empty when there is none or it is a zombie."""
    if not Path("/proc/self").exists():
        ps = ["ps", "-ww", "-o", "args=", "-p", str(pid)]
        return subprocess.run(ps, capture_output=True, text=True, check=False).stdout.strip()
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ""
    return arguments.replace(b"\0", b" ").decode(errors="replace").strip()


def is_ours(pid: int, mark: str) -> bool:
    """Whether the process lives and its last argument is the mark."""
    return command_line(pid).endswith(f" {mark}")


def lives(pid: int) -> bool:
    """Whether any thread of the process still runs, and so may hold its files and ports."""
    if not Path("/proc/self").exists():
        return subprocess.run(["ps", "-p", str(pid)], capture_output=True, check=False).returncode == 0
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        threads = len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return False
    return state not in "ZX" or threads > 1


def appeared(pid: int, mark: str, *, within_seconds: float) -> bool:
    """Wait for a process just spawned to show its mark: in the middle of exec the command line is empty."""
    deadline = time.monotonic() + within_seconds
    while not is_ours(pid, mark):
        if reap(pid) or time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def end(pid: int, *, grace_seconds: float) -> None:
    """Ask the process to end, and kill it when it does not within the grace. None left after."""
    # A frozen process takes no request before it is thawed.
    send(pid, signal.SIGCONT)
    send(pid, signal.SIGTERM)
    if not gone(pid, within_seconds=grace_seconds):
        kill(pid, grace_seconds=grace_seconds)


def kill(pid: int, *, grace_seconds: float) -> None:
    """End the process at once and wait until nothing of it is left."""
    send(pid, signal.SIGKILL)
    gone(pid, within_seconds=grace_seconds)


def send(pid: int, number: signal.Signals) -> None:
    """Signal the process; one that has just gone is no error."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def gone(pid: int, *, within_seconds: float) -> bool:
    """Wait for the process to be gone. False when it is still there at the bound."""
    deadline = time.monotonic() + within_seconds
    while not reap(pid) and lives(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def reap(pid: int) -> bool:
    """Collect the exit of our own child. False while it runs, or when it is somebody else's."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return False
