from typing import Any

import pytest

from consumers.telemetry.redaction import HIDDEN, is_secret, redact


@pytest.mark.parametrize(
    "name",
    ["password", "smtp_password", "PASSWD", "Authorization", "x-api-key", "apikey", "access_token", "Cookie"],
)
def test_secret_names(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize("name", ["key", "task", "passenger", "author", "attempt", "event_id"])
def test_ordinary_names(name: str) -> None:
    assert not is_secret(name)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"args": {"token": "x", "to": "a"}}, {"args": {"token": HIDDEN, "to": "a"}}),
        ({"list": [{"secret": 1}, 2, None]}, {"list": [{"secret": HIDDEN}, 2, None]}),
        ({"error": "GET https://u:p@h/x failed"}, {"error": f"GET https://u:{HIDDEN}@h/x failed"}),
        ({"error": "header Bearer abc.def-123"}, {"error": f"header Bearer {HIDDEN}"}),
        ({"url": "https://host:8080/path@x", "n": 1.5}, {"url": "https://host:8080/path@x", "n": 1.5}),
        ({"pair": ("a", 1)}, {"pair": ["a", 1]}),
    ],
)
def test_what_is_shown(given: dict[str, Any], shown: dict[str, Any]) -> None:
    assert redact(None, "info", given) == shown


def test_an_endless_structure_ends() -> None:
    loop: dict[str, Any] = {}
    loop["again"] = loop
    assert "…" in str(redact(None, "info", {"loop": loop}))
