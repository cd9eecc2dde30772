"""The versions whose insides the other tests here look at; `pyproject.toml` pins the same."""

from importlib.metadata import version

import pytest

READ = {"faust-streaming": "0.15.3", "aiokafka": "0.14.0", "rocksdict": "0.3.29"}


@pytest.mark.parametrize(("package", "read"), READ.items())
def test_the_version_is_the_one_that_was_read(package: str, read: str) -> None:
    assert version(package) == read, (
        f"{package} {version(package)} is installed, {read} was read. Read every file of ours that "
        f"tests/contract/ names for {package} against the new source, then change the version here."
    )
