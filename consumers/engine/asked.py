"""A command as it was asked."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from schemas.command import Command
from schemas.state import COMMAND_PREFIX

if TYPE_CHECKING:
    from consumers.engine.reader import Read


@dataclass(frozen=True, slots=True)
class Asked:
    """One command. `about` is what its key names: a job, or a schedule.

    `reads` are the jobs a letter starts. `why_not` says why it cannot be done, if so.
    """

    command: Command | None
    id: str
    about: str
    body: dict[str, Any] = field(default_factory=dict)
    reads: "list[Read]" = field(default_factory=list)
    why_not: str = ""


def answer_key(command_id: str) -> str:
    """Where the answer to a command is kept."""
    return COMMAND_PREFIX.decode() + command_id
