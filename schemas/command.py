"""Commands: what a person or service asks of the owner of a partition, as records of `A.S.commands`.

Only the owner of a partition writes its state, so every action travels this way. The key is the id of the
job or the name of the schedule, the value JSON, for a redrive the letter itself. What became of a command
is a ledger record of the same source and partition under `command/<command id>`, kept for an hour; a
command written twice under one id is answered once.
"""

import enum
from typing import Final

COMMAND_HEADER: Final = "headrace-command"
COMMAND_ID_HEADER: Final = "headrace-command-id"
MAX_COMMAND_ID_CHARACTERS: Final = 128
ANSWERS_KEPT_MS: Final = 3600 * 1000
ANSWERED: Final = "answered"
"""The `state` of an answer's document."""


class Command(enum.StrEnum):
    """What can be asked."""

    CANCEL = "cancel"
    RESCHEDULE = "reschedule"
    RETRY = "retry"
    REDRIVE = "redrive"
    PAUSE_SCHEDULE = "pause_schedule"
    RESUME_SCHEDULE = "resume_schedule"
    RUN_SCHEDULE = "run_schedule"


class Answer(enum.StrEnum):
    """What became of a command."""

    CANCELLED = "cancelled"
    CANCELLING = "cancelling"  # it runs, and was told to end
    ALREADY_FINISHED = "already_finished"
    RESCHEDULED = "rescheduled"
    NOT_PARKED = "not_parked"
    UNKNOWN_JOB = "unknown_job"
    REDRIVEN = "redriven"
    NOT_FAILED = "not_failed"
    PAUSED = "paused"
    RESUMED = "resumed"
    STARTED = "started"
    UNKNOWN_SCHEDULE = "unknown_schedule"
    REFUSED = "refused"
