"""The events of this repository are as their snapshots say: an incompatible change fails here."""

from pathlib import Path

from click.testing import CliRunner

from consumers.cli.schemas import command, compare

FOLDER = Path(__file__).parents[3] / "schemas" / "snapshots"
EVENT = {"type": "object", "properties": {"a": {"type": "integer"}}}


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def test_says_each_finding_with_what_to_do() -> None:
    kept = {"gone.v1.json": EVENT, "same.v1.json": EVENT, "wider.v1.json": EVENT, "broken.v1.json": EVENT}
    current = {
        "same.v1.json": EVENT,
        "wider.v1.json": EVENT | {"title": "Wider"},
        "broken.v1.json": {"type": "object", "properties": {}},
        "new.v1.json": EVENT,
    }
    assert compare(kept, current) == [
        "broken.v1: data.a: removed; give the changed event a new version",
        "gone.v1: has a snapshot but no class any more; events of it may still come",
        "new.v1: has no snapshot; run `headrace schemas export`",
        "wider.v1: changed compatibly; run `headrace schemas export`",
    ]


def test_the_snapshots_of_the_flights_are_kept(tmp_path: Path) -> None:
    for file in FOLDER.glob("flight.*.json"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    _, output = run("check", "--dir", tmp_path)
    assert "flight." not in output


def test_an_export_checks_clean_and_a_change_fails(tmp_path: Path) -> None:
    assert run("export", "--dir", tmp_path)[0] == 0
    assert run("check", "--dir", tmp_path)[0] == 0
    (tmp_path / "flight.departed.v1.json").unlink()
    exit_code, output = run("check", "--dir", tmp_path)
    assert exit_code == 1
    assert "flight.departed.v1: has no snapshot" in output
