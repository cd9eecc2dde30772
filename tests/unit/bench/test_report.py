import io

import pytest
from rich.console import Console

from tests.bench.__main__ import exit_code
from tests.bench.contest import Row
from tests.bench.report import report
from tests.bench.results import Results
from tests.bench.rounds import Measurement


def measured(**figures: float) -> Measurement:
    return Measurement(figures=figures, peak_megabytes=90.4, cpu_microseconds_per_job=25.26)


def rates(*values: float) -> list[Measurement]:
    return [measured(value=value) for value in values]


@pytest.fixture
def results() -> Results:
    """Two contenders in the first row, one in the last; one peer was missing."""
    found = Results()
    for name, rounds in {
        "headrace": rates(30_000, 28_000, 29_000),
        "arq": rates(2_400, 2_600, 2_500),
    }.items():
        for measurement in rounds:
            found.add(Row.EMPTY, name, measurement)
    found.add(Row.LATENCY, "headrace", measured(p50=2.126, p99=9.0))
    found.problems.append(("celery", "not installed"))
    return found


def printed(results: Results) -> str:
    console = Console(file=io.StringIO(), width=160)
    console.print(report(results))
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_the_document_holds_medians_by_row_and_contender(results: Results) -> None:
    document = results.document()
    assert document["empty_jobs_per_second"] == {"headrace": 29_000, "arq": 2_500}
    assert document["latency_ms"] == {"headrace": {"p50": 2.13, "p99": 9.0}}
    assert "io_jobs_per_second" not in document
    assert document["spread"]["empty_jobs_per_second"]["value"]["arq"] == {
        "median": 2_500,
        "lowest": 2_400,
        "highest": 2_600,
    }
    assert document["cpu_microseconds_per_job"]["empty_jobs_per_second"]["headrace"] == 25.3
    assert document["problems"] == [{"contender": "celery", "what": "not installed"}]


def test_the_document_says_which_gates_were_reached(results: Results) -> None:
    reached = {gate["sentence"]: gate["reached"] for gate in results.document()["gates"]}
    assert reached == {
        "empty jobs/s ÷ arq's": True,
        "empty jobs/s ÷ faust's": None,
        "I/O jobs/s ÷ arq's": None,
        "latency p50 ÷ celery's": None,
    }


def test_the_table_shows_the_best_first_with_ratios(results: Results) -> None:
    text = printed(results)
    assert text.index("29,000") < text.index("2,500")
    assert "11.60 ×" in text
    assert "2,400 … 2,600" in text


def test_what_went_wrong_is_printed(results: Results) -> None:
    text = printed(results)
    assert "✗ celery: not installed" in text
    assert "? I/O jobs/s ÷ arq's: not measured (wanted ≥ 7)" in text


def test_a_missed_gate_is_printed_plainly(results: Results) -> None:
    results.add(Row.LATENCY, "celery", measured(p50=1.0, p99=2.0))
    assert "✗ GATE MISSED latency p50 ÷ celery's = 2.13 (wanted ≤ 1)" in printed(results)


def test_a_gate_fails_the_run_only_on_request(results: Results) -> None:
    assert exit_code(results, gate=False) == 0
    assert exit_code(results, gate=True) == 1


def test_a_failed_run_of_headrace_always_fails(results: Results) -> None:
    results.problems.append(("headrace", "state topics hold 299,999 finished jobs"))
    assert exit_code(results, gate=False) == 1
