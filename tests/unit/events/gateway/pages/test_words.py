"""Payloads, times and answers as they are said."""

import datetime as dt

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.gateway.pages.lineage import descendants, steps
from events.gateway.pages.payloads import SHOWN_CHARACTERS, json_payload, payload, shorten, visible
from events.gateway.pages.times import read_time
from events.gateway.pages.wording import answer_text, away, duration, number, size
from schemas.command import Answer
from tests.example_jobs import NOON, job


@pytest.mark.parametrize(
    ("content", "kind", "begins"),
    [
        (None, "absent", ""),
        (b"", "empty", ""),
        (b'{"a":[1]}', "JSON", '{\n  "a"'),
        (b"7", "text", "7"),
        (b'{"a":', "text", '{"a":'),
        (b"[" * 3000 + b"]" * 3000, "text", "[[["),
        ("Zürich ✈".encode(), "text", "Zürich"),
        (b"\xff\xfe\x00", "binary", "000000  ff fe 00"),
        (b"\x00\x00\x00\x01ab", "binary", "000000  00 00"),
    ],
)
def test_bytes_are_shown_as_what_they_are(content: bytes | None, kind: str, begins: str) -> None:
    shown = payload(content)
    assert shown.kind == kind
    assert shown.text.startswith(begins)


def test_a_cut_within_a_character_does_not_make_a_text_binary() -> None:
    shown = payload("✈✈".encode() * SHOWN_CHARACTERS)
    assert (shown.kind, shown.cut, len(shown.text)) == ("text", True, SHOWN_CHARACTERS)


@given(st.binary(max_size=400))
def test_any_bytes_can_be_shown(content: bytes) -> None:
    assert len(payload(content).text) <= SHOWN_CHARACTERS


@given(st.text(st.characters(), max_size=200))
def test_visible_text_is_utf8_and_turns_no_direction(text: str) -> None:
    seen = visible(text)
    seen.encode()
    assert not set(seen) & {"\x00", "\x1b", "\u202e", "\u2066", "\u200b", "\x7f"}


def test_a_result_with_anything_in_it_is_shown() -> None:
    assert orjson.loads(json_payload({"a": [None, 1.5, "é"]}).text) == {"a": [None, 1.5, "é"]}
    assert json_payload(None)[:2] == ("JSON", "null")


def test_shorten_keeps_the_bound() -> None:
    assert shorten("abc", 3) == "abc"
    assert shorten("abcd", 3) == "ab…"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"), (0.0124, "12 ms"), (3.46, "3.4 s"), (59.99, "59.9 s"), (60, "1 min"), (307, "5 min 7 s"),
        (7500, "2 h 5 min"), (3600, "1 h"), (273600, "3 d 4 h"), (-5, "5.0 s"),
    ],
)  # fmt: skip
def test_durations_are_said_with_two_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_times_are_said_from_now() -> None:
    assert away(NOON + dt.timedelta(minutes=3), NOON) == "in 3 min"
    assert away(NOON - dt.timedelta(hours=2), NOON) == "2 h ago"


def test_numbers_and_sizes() -> None:
    assert (number(1234567.0), number(0.5)) == ("1,234,567", "0.50")
    assert (size(1), size(512), size(1500), size(2_000_000)) == ("1 byte", "512 bytes", "1.5 kB", "2.0 MB")


def test_form_times_are_utc() -> None:
    assert read_time("  ") is None
    assert read_time("2026-03-01T14:30") == dt.datetime(2026, 3, 1, 14, 30, tzinfo=dt.UTC)
    assert read_time("2026-03-01T14:30+02:00") == dt.datetime(2026, 3, 1, 12, 30, tzinfo=dt.UTC)
    with pytest.raises(ValueError, match="1970"):
        read_time("1969-01-01")


@pytest.mark.parametrize("answer", list(Answer))
def test_every_answer_has_words(answer: Answer) -> None:
    text, _ = answer_text({"answer": answer.value, "job_state": "failed", "why": "no such task"})
    assert text.endswith((".", "no such task"))


def test_no_answer_yet_and_one_of_a_newer_worker_have_words_too() -> None:
    assert "has not answered yet" in answer_text(None)[0]
    assert answer_text({"answer": "postponed"})[0] == "The worker answered: postponed"


def test_steps_below_a_step_are_below_it() -> None:
    nodes = steps(
        [job("c", step="10"), job("b", step="2.1"), job("a", step="2"), job("z"), job("d", step="3.1")]
    )

    assert [node.job.job_id for node in nodes] == ["a", "d", "c", "z"]
    assert [node.job.job_id for node in nodes[0].children] == ["b"]


def test_descendants_are_bounded_and_end_in_a_circle() -> None:
    every = {"a": job("a", children=["c", "b", "gone"]), "b": job("b"), "c": job("c", children=["a"])}
    wide = job("wide", children=[f"w{n}" for n in range(300)])

    family = descendants(every["a"], every.get)
    assert [node.job.job_id for node in family.nodes[0].children] == ["b", "c"]
    assert not family.is_whole
    assert not descendants(wide, job).is_whole
    assert descendants(every["b"], every.get).is_whole
