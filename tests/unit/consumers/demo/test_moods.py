"""How often the servers misbehave."""

from collections import Counter

import pytest

from consumers.demo.moods import FINE, Moods, one_in


def test_moods_come_about_as_often_as_their_chances() -> None:
    moods = Moods({"busy": 0.2, "gone": 0.1})
    drawn = Counter(moods.next() for _ in range(5000))
    assert drawn.keys() == {"busy", "gone", FINE}
    assert 850 < drawn["busy"] < 1150
    assert 400 < drawn["gone"] < 600


def test_a_seed_gives_the_same_moods_again() -> None:
    chances = {"busy": 0.5}
    first, second = Moods(chances, seed=7), Moods(chances, seed=7)
    assert [first.next() for _ in range(50)] == [second.next() for _ in range(50)]


def test_chances_leave_room_for_fine() -> None:
    with pytest.raises(ValueError, match=r"sum to 1\.0"):
        Moods({"busy": 0.5, "gone": 0.5})


def test_one_in_chooses_the_same_texts_every_time() -> None:
    texts = [f"job-{number}" for number in range(2000)]
    chosen = [text for text in texts if one_in(text, 10)]
    assert 140 < len(chosen) < 260
    assert chosen == [text for text in texts if one_in(text, 10)]
