"""A dead letter: the original key, value and headers, untouched, plus `headrace-*` headers about it."""

import enum
from typing import Final


class Reason(enum.StrEnum):
    """Why a job or an event was set aside."""

    EXHAUSTED = "exhausted"
    FAILED = "failed"
    UNDECODABLE = "undecodable"
    UNKNOWN_VERSION = "unknown_version"
    UNKNOWN_TASK = "unknown_task"
    INVALID = "invalid"
    EXPIRED = "expired"
    WORKER_LOST = "worker_lost"


class DeadLetterHeader(enum.StrEnum):
    """Every header a dead letter may carry. Times are milliseconds since 1970-01-01 UTC as decimal text."""

    REASON = "headrace-reason"
    JOB_ID = "headrace-job-id"
    TASK = "headrace-task"
    ATTEMPTS = "headrace-attempts"
    ORIGIN_TOPIC = "headrace-origin-topic"
    ORIGIN_PARTITION = "headrace-origin-partition"
    ORIGIN_OFFSET = "headrace-origin-offset"
    ORIGIN_TIMESTAMP = "headrace-origin-timestamp"
    EXCEPTION_TYPE = "headrace-exception-type"
    EXCEPTION_MESSAGE = "headrace-exception-message"
    EXCEPTION_STACK = "headrace-exception-stack"
    FIRST_FAILED_AT = "headrace-first-failed-at"
    LAST_FAILED_AT = "headrace-last-failed-at"
    RELEASE = "headrace-release"
    REVISION = "headrace-revision"


PREFIX: Final = "headrace-"
MESSAGE_LIMIT_CHARACTERS: Final = 1_000
STACK_LIMIT_CHARACTERS: Final = 8_000


def without_own_headers(
    headers: tuple[tuple[str, bytes | None], ...],
) -> tuple[tuple[str, bytes | None], ...]:
    """The original headers of a dead letter or command: everything that is not ours."""
    return tuple((name, value) for name, value in headers if not name.startswith(PREFIX))
