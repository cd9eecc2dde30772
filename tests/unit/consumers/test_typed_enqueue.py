from pathlib import Path

from mypy import api

CHECKED = Path(__file__).with_name("typed_enqueue.py")
ROOT = Path(__file__).parents[3]


def test_a_checker_sees_wrong_arguments_of_an_enqueue() -> None:
    said, trouble, code = api.run(["--config-file", str(ROOT / "pyproject.toml"), str(CHECKED)])
    assert (code, trouble) == (0, ""), said
