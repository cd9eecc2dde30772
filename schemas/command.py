"""Commands: what a person or service asks of the owner of a partition, as records of `A.S.commands`.

Only the owner of a partition writes its state, so every action travels this way.
"""

import enum
from typing import Final

COMMAND_HEADER: Final = "headrace-command"
COMMAND_ID_HEADER: Final = "headrace-command-id"


class Command(enum.StrEnum):
    """What can be asked."""

    REDRIVE = "redrive"
