"""What a broker's folder remembers about it: which engine runs it, under which id, on which ports."""

import base64
import uuid
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

RECORD_FILE = "broker.json"


def new_cluster_id() -> str:
    """A random cluster id as Kafka writes them; never with a dash in front, which reads as an option."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text


class BrokerRecord(BaseModel):
    """One broker. `handle` is a process id or a container id, empty when it was stopped by us."""

    model_config = ConfigDict(frozen=True)

    port: int
    controller_port: int
    engine: Literal["docker", "java"]
    cluster_id: str = Field(default_factory=new_cluster_id)
    handle: str = ""

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """The record in the folder; None when there is none or it cannot be read."""
        try:
            return cls.model_validate_json((folder / RECORD_FILE).read_bytes())
        except (OSError, ValidationError):
            return None

    def save(self, folder: Path) -> None:
        """Write it whole or not at all."""
        partial = folder / f"{RECORD_FILE}.partial"
        partial.write_text(self.model_dump_json(indent=2) + "\n")
        partial.replace(folder / RECORD_FILE)
