"""Java and Maven as they are found, and jars that appear whole or not at all."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from events.broker import java
from events.broker.settings import KAFKA_VERSION
from events.errors import JarsUnavailable, ToolMissing


@pytest.mark.parametrize(
    ("shown", "major"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_392"', 8),
        ('openjdk version "25" 2025-09-16', 25),
        ("no such thing", None),
    ],
)
def test_the_major_version_is_read(shown: str, major: int | None) -> None:
    assert java.java_major(shown) == major


def program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def test_java_home_goes_before_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "home" / "bin", "java", "echo 'openjdk version \"21.0.1\"' >&2")
    program(tmp_path / "path", "java", "echo 'openjdk version \"11.0.1\"' >&2")
    monkeypatch.setenv("PATH", f"{tmp_path}/path:/bin:/usr/bin")
    assert java.find_java(tmp_path / "home") == str(tmp_path / "home" / "bin" / "java")
    with pytest.raises(ToolMissing, match=f"{tmp_path}/path/java is version 11"):
        java.find_java()


def test_no_java_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing, match="Java 17 or newer: no `java` on PATH"):
        java.find_java()
    with pytest.raises(ToolMissing, match="no `mvn` on PATH"):
        java.resolve_jars(tmp_path)


def with_maven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    """A stand-in for Maven; `$6` is its -DoutputDirectory=…"""
    program(tmp_path / "bin", "mvn", f'out="${{6#-DoutputDirectory=}}"\necho x >> {tmp_path}/calls\n{script}')
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/bin:/usr/bin")
    return tmp_path / "cache"


def test_many_ask_and_one_fetches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = 'mkdir -p "$out" && touch "$out/kafka_2.13-4.4.0.jar"'
    cache = with_maven(tmp_path, monkeypatch, script)
    with ThreadPoolExecutor(4) as several:
        folders = set(several.map(java.resolve_jars, [cache] * 4))
    assert folders == {java.jars_folder(cache)}
    assert [file.name for file in folders.pop().iterdir()] == ["kafka_2.13-4.4.0.jar"]
    assert (tmp_path / "calls").read_text() == "x\n"


def test_a_failed_download_leaves_nothing_that_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = with_maven(tmp_path, monkeypatch, 'mkdir -p "$out"; echo "[ERROR] no network"; exit 1')
    with pytest.raises(JarsUnavailable, match=r"(?s)Kafka 4.4.0.*no network"):
        java.resolve_jars(cache)
    assert not java.jars_folder(cache).exists()


def test_a_download_without_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = with_maven(tmp_path, monkeypatch, "exit 0")

    def late(*args: object, **kwargs: object) -> None:
        raise subprocess.TimeoutExpired("mvn", 600)

    monkeypatch.setattr(subprocess, "run", late)
    with pytest.raises(JarsUnavailable, match="within 600 s"):
        java.resolve_jars(cache)


def test_the_pom_names_the_version_we_say() -> None:
    assert f"<version>{KAFKA_VERSION}</version>" in java.POM.read_text()
