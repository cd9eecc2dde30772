import pytest

from events.errors import EventTooLarge, NotAuthorised, PublishError, UnknownTopic
from events.refusals import refusal


@pytest.mark.parametrize(
    ("code", "expected", "message"),
    [
        (3, UnknownTopic, "'flights' does not exist"),
        (10, EventTooLarge, "max.message.bytes"),
        (18, EventTooLarge, "max.message.bytes"),
        (17, UnknownTopic, "no name of a topic"),
        (29, NotAuthorised, "does not let alice write to 'flights'"),
        (87, PublishError, "error code 87"),
    ],
)
def test_says_what_to_do(code: int, expected: type[PublishError], message: str) -> None:
    error = refusal(code, "flights", "alice")
    assert type(error) is expected
    assert message in str(error)


@pytest.mark.parametrize("code", [-1, 0, 5, 6, 7, 45, 59])
def test_what_may_pass_is_no_refusal(code: int) -> None:
    assert refusal(code, "flights", None) is None
