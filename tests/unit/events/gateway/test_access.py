from typing import Any

import pytest
from starlette.requests import Request

from events.gateway.access import Access
from events.gateway.csrf import check_form, is_same_origin
from events.gateway.keys import KeyRing, Scope, new_key
from events.gateway.problems import Problem
from events.gateway.ratelimit import RateLimit
from events.gateway.sessions import COOKIE, Sessions

SECRET, KEY = new_key([Scope.SUBMIT, Scope.READ], id="ci")
BEARER = {"authorization": f"Bearer {SECRET}"}


def _request(method: str = "POST", **headers: str) -> Request:
    given = {"host": "gateway.example", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return Request(
        {
            "type": "http",
            "method": method,
            "path": "/jobs",
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
            "client": ("10.0.0.1", 5),
        }
    )


def _access(*, keys: bool = True, rate: float = 0.0, guesses: float = 0.0) -> Access:
    now = [0.0]
    return Access(
        KeyRing([KEY] if keys else []),
        Sessions(b"s", lifetime_seconds=100, clock=lambda: now[0]),
        requests=RateLimit(rate, 1, clock=lambda: now[0]),
        guesses=RateLimit(guesses, 1, clock=lambda: now[0]),
    )


def _slug(access: Access, request: Request, scope: Scope = Scope.SUBMIT) -> str:
    with pytest.raises(Problem) as raised:
        access.check(request, scope)
    return raised.value.slug


def test_a_key_lets_in_what_its_scopes_say() -> None:
    access = _access()
    assert access.check(_request(**BEARER), Scope.SUBMIT).id == "ci"
    assert access.check(_request(authorization=f"bearer  {SECRET} "), Scope.READ).id == "ci"
    assert _slug(access, _request(**BEARER), Scope.OPERATE) == "not-allowed"


@pytest.mark.parametrize(
    "given", [None, "", "Bearer", "Bearer nonsense", "Basic abc", pytest.param(SECRET, id="bare")]
)
def test_anything_else_is_nobody(given: str | None) -> None:
    headers = {} if given is None else {"authorization": given}
    with pytest.raises(Problem) as raised:
        _access().check(_request(**headers), Scope.READ)
    assert (raised.value.status, raised.value.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert "nonsense" not in str(raised.value.document())


def test_a_caller_that_is_too_fast_is_told_when_to_come_back() -> None:
    access = _access(rate=0.5)
    access.check(_request(**BEARER), Scope.READ)
    with pytest.raises(Problem) as raised:
        access.check(_request(**BEARER), Scope.READ)
    assert (raised.value.slug, raised.value.headers["Retry-After"]) == ("too-many-requests", "2")


def test_guessing_is_slowed_down() -> None:
    access = _access(guesses=1.0)
    wrong = _request(authorization="Bearer wrong")
    assert [_slug(access, wrong) for _ in range(2)] == ["not-authenticated", "too-many-requests"]
    assert access.check(_request(**BEARER), Scope.READ).id == "ci"


def test_a_session_counts_for_our_own_pages_only() -> None:
    access = _access()
    cookie = f"{COOKIE}={access.sessions.sign('ci')}"
    assert access.check(_request("GET", cookie=cookie), Scope.READ).id == "ci"
    ours = _request(cookie=cookie, origin="https://gateway.example")
    assert access.check(ours, Scope.SUBMIT).id == "ci"
    for headers in (
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ):
        assert _slug(access, _request(cookie=cookie, **headers)) == "cross-site"
    forged = _request("GET", cookie=f"{COOKIE}=forged")
    assert _slug(access, forged, Scope.READ) == "not-authenticated"


def test_without_keys_only_names_of_this_machine_are_answered() -> None:
    access = _access(keys=False)
    for host in ("localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000"):
        assert access.check(_request(host=host), Scope.OPERATE).id == "anonymous"
    for host in ("rebound.example", "rebound.example:8000", ""):
        assert _slug(access, _request(host=host)) == "cross-site"
    assert _slug(access, _request(host="localhost:8000", origin="http://localhost:3000")) == "cross-site"


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("http://a:1", "a:1", True),
        ("http://A:1", "a:1", True),
        ("http://a:2", "a:1", False),
        ("null", "a:1", False),
        ("http://[", "a:1", False),
        ("", "", False),
    ],
)
def test_same_origin(origin: str, host: str, same: bool) -> None:
    assert is_same_origin(origin, host) is same


def test_a_form_needs_the_token_of_its_session() -> None:
    sessions: Any = Sessions(b"s", lifetime_seconds=100, clock=lambda: 0.0)
    cookie = sessions.sign("ci")
    request = _request(cookie=f"{COOKIE}={cookie}")
    check_form(request, sessions, sessions.form_token(cookie))
    for token in (None, "", "wrong"):
        with pytest.raises(Problem, match="cross-site"):
            check_form(request, sessions, token)
