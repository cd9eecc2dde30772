from events.gateway.command_routes import _command_id
from events.gateway.keys import ANONYMOUS, Caller


def test_a_key_names_one_command_of_one_caller_and_job() -> None:
    other = Caller("other", ANONYMOUS.scopes)
    asked = [
        _command_id(caller, key, verb, about)
        for caller in (ANONYMOUS, other)
        for key in ("k", "l")
        for verb in ("cancel", "retry")
        for about in ("a", "b")
    ]
    assert len(set(asked)) == len(asked)
    assert asked[0] == _command_id(ANONYMOUS, "k", "cancel", "a")
    assert _command_id(ANONYMOUS, None, "cancel", "a") != _command_id(ANONYMOUS, None, "cancel", "a")
