"""The Java side: is a fit Java here, is Maven, and Kafka's jars.

The jars lie in a folder named after the pom's content and appear by one rename, so that
several processes may ask for them at once and an interrupted download leaves nothing half done.
"""

import fcntl
import hashlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from events.broker.settings import KAFKA_VERSION
from events.errors import JarsUnavailable, ToolMissing

POM = Path(__file__).with_name("pom.xml")
OLDEST_JAVA = 17
MAVEN_TIMEOUT_SECONDS = 600


def find_java(java_home: Path | None = None) -> str:
    """Path of a Java that can run Kafka. Raises ToolMissing saying what was found instead."""
    java = shutil.which("java", path=str(java_home / "bin")) if java_home else None
    java = java or shutil.which("java")
    if not java:
        raise ToolMissing(f"Java {OLDEST_JAVA} or newer: no `java` on PATH and JAVA_HOME has none")
    shown = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    found = java_major(shown.stderr + shown.stdout)
    if found is None or found < OLDEST_JAVA:
        raise ToolMissing(f"Java {OLDEST_JAVA} or newer: {java} is version {found or 'unknown'}")
    return java


def java_major(version_output: str) -> int | None:
    """The major version `java -version` prints: 17 of '17.0.15', 8 of '1.8.0_392'."""
    match = re.search(r'version "(?:1\.)?(\d+)', version_output)
    return int(match[1]) if match else None


def jars_folder(cache: Path) -> Path:
    """Where the jars of this pom belong, whether they are there or not."""
    content = hashlib.sha256(POM.read_bytes()).hexdigest()[:8]
    return cache.expanduser().resolve() / f"kafka-{KAFKA_VERSION}" / f"libs-{content}"


def resolve_jars(cache: Path) -> Path:
    """The folder with Kafka's jars, fetched with Maven when it is not there yet.

    Raises ToolMissing without Maven, JarsUnavailable when the download fails.
    """
    folder = jars_folder(cache)
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _only_one(folder.parent / ".lock"):
        if not folder.is_dir():
            _download(folder)
    return folder


def find_maven() -> str:
    """Path of Maven. Raises ToolMissing."""
    maven = shutil.which("mvn")
    if not maven:
        raise ToolMissing("Maven: no `mvn` on PATH")
    return maven


def _download(folder: Path) -> None:
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    command = [find_maven(), "-q", "-B", "-f", str(POM), "dependency:copy-dependencies"]
    try:
        done = subprocess.run(
            [*command, f"-DoutputDirectory={partial}"],
            capture_output=True,
            text=True,
            check=False,
            timeout=MAVEN_TIMEOUT_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise JarsUnavailable(f"Maven did not fetch Kafka within {MAVEN_TIMEOUT_SECONDS} s") from error
    if done.returncode != 0 or not any(partial.glob("kafka_*.jar")):
        reason = "\n".join((done.stdout + done.stderr).strip().splitlines()[:5])
        raise JarsUnavailable(f"Maven could not fetch Kafka {KAFKA_VERSION} into {partial}:\n{reason}")
    partial.rename(folder)


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
