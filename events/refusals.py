"""What Kafka's error codes (kafka.apache.org/protocol) mean for somebody who publishes."""

from typing import Final

from events.errors import EventTooLarge, NotAuthorised, PublishError, UnknownTopic

UNKNOWN_TOPIC: Final = 3
_INVALID_TOPIC: Final = 17
_TOO_LARGE: Final = frozenset({10, 18})  # the record, the batch
_NOT_AUTHORISED: Final = frozenset({29, 31})  # the topic, the cluster
_REFUSED: Final = frozenset({2, 32, 38, 43, 44, 87})  # corrupt, time, configuration, format, policy, record


def refusal(code: int, topic: str, user: str | None) -> PublishError | None:
    """The error for a code that sending again cannot help; None for one that may pass."""
    if code in _TOO_LARGE:
        return EventTooLarge(
            f"Topic {topic!r} refused a record as too large. Raise its max.message.bytes, "
            "or store the data elsewhere and publish where they are."
        )
    if code in _NOT_AUTHORISED:
        who = user or "an anonymous user"
        return NotAuthorised(f"Kafka does not let {who} write to {topic!r}. Grant WRITE and DESCRIBE on it.")
    if code == UNKNOWN_TOPIC:
        return UnknownTopic(
            f"Topic {topic!r} does not exist. `headrace topics apply` creates those the tasks need."
        )
    if code == _INVALID_TOPIC:
        return UnknownTopic(
            f"{topic!r} is no name of a topic: 1 to 249 of letters, digits, '.', '_' and '-'."
        )
    if code in _REFUSED:
        return PublishError(f"Kafka refused a record for {topic!r} with error code {code}.")
    return None
