"""What the figures were measured on, so that they can be read later."""

import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from events.broker.settings import KAFKA_VERSION

PACKAGES = (
    "headrace",
    "aiokafka",
    "faust-streaming",
    "arq",
    "celery",
    "redis",
    "hiredis",
    "uvloop",
    "rocksdict",
)


def machine() -> dict[str, str | float]:
    """The processor, its load before the run, the memory."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 0,
        "memory_gigabytes": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "load_before": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.release()}",
    }


def disturbance(facts: dict[str, str | float]) -> str | None:
    """A warning when something else kept the processors busy before the run: figures then wander."""
    load, cores = float(facts["load_before"]), int(facts["cores"])
    if load <= cores / 2:
        return None
    return f"The load was {load:.1f} on {cores} cores before the run: others work here, do not trust this."


def versions() -> dict[str, str]:
    """Python, the servers and the packages that were compared."""
    servers = {"python": platform.python_version(), "kafka": KAFKA_VERSION, "redis-server": _redis_server()}
    return servers | {name: _version(name) for name in PACKAGES}


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _redis_server() -> str:
    program = shutil.which("redis-server")
    if program is None:
        return "not installed"
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return said.partition("v=")[2].partition(" ")[0]
