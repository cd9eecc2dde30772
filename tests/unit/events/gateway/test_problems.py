import re
from pathlib import Path

import events.gateway
from events.gateway.problems import CATALOGUE, documented, pointer, problem

FOLDER = Path(events.gateway.__file__).parent


def test_every_problem_raised_is_in_the_catalogue_and_every_entry_is_raised() -> None:
    source = "".join(path.read_text() for path in FOLDER.rglob("*.py") if path.name != "problems.py")
    raised = set(re.findall(r"\bproblem\(\s*\"([a-z-]+)\"", source))
    assert raised <= CATALOGUE.keys()
    assert {slug for slug in CATALOGUE if f'"{slug}"' not in source} <= {"unknown-worker"}


def test_a_problem_is_rfc_9457() -> None:
    response = problem("too-deep", "full", retry_after=0.2, depth=3).response()
    assert response.media_type == "application/problem+json"
    assert response.headers["retry-after"] == "1"
    assert problem("too-deep", "full", depth=3).document() == {
        "type": "/problems/too-deep",
        "title": "Too many jobs wait already",
        "status": 429,
        "detail": "full",
        "depth": 3,
    }


def test_pointers_escape() -> None:
    assert pointer("a/b", 0, "~") == "/a~1b/0/~0"
    assert pointer() == ""


def test_documented_answers_of_one_status_share_an_entry() -> None:
    answers = documented("too-deep", "too-many-requests", "internal")
    assert set(answers) == {429, 500}
    assert "too-deep" in answers[429]["description"]
    assert "too-many-requests" in answers[429]["description"]
