"""A command as it was asked."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from schemas.command import Command
from schemas.state import Position

if TYPE_CHECKING:
    from consumers.engine.reader import Read


@dataclass(frozen=True, slots=True)
class Asked:
    """One command. `about` is what its key names: a job, or a schedule. `reads` are the jobs of a letter."""

    command: Command
    id: str
    about: str
    body: dict[str, Any]
    position: Position
    reads: "list[Read]" = field(default_factory=list)
