from events.gateway.sessions import Sessions


def _sessions(now: list[float], secret: bytes | None = b"secret") -> Sessions:
    return Sessions(secret, lifetime_seconds=100, clock=lambda: now[0])


def test_a_session_names_its_key_until_it_is_over() -> None:
    now = [1000.0]
    cookie = _sessions(now).sign("ci")
    other_replica = _sessions(now)
    assert other_replica.key_id(cookie) == "ci"
    now[0] = 1100.0
    assert other_replica.key_id(cookie) is None


def test_forged_cookies_are_none() -> None:
    now = [0.0]
    sessions = _sessions(now)
    cookie = sessions.sign("ci")
    body, _, mac = cookie.partition(".")
    for forged in (
        "",
        ".",
        "x",
        body,
        f"{body}.",
        f"{body}.{mac[:-2]}",
        f"{body[:-2]}.{mac}",
        "ü.ü",
        cookie + "ü",
    ):
        assert sessions.key_id(forged) is None, forged
    assert _sessions(now, b"another").key_id(cookie) is None
    assert _sessions(now, None).key_id(cookie) is None


def test_a_form_token_belongs_to_its_session() -> None:
    sessions = _sessions([0.0])
    one, other = sessions.sign("ci"), sessions.sign("ci")
    assert sessions.is_form_token(one, sessions.form_token(one))
    assert not sessions.is_form_token(other, sessions.form_token(one))
    assert not sessions.is_form_token(one, "")
