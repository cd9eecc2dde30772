"""What the built-in tasks need to know, read once from HEADRACE_TASKS_* variables."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from events.settings import HeadraceSettings

PREFIX = "HEADRACE_TASKS_"


class TaskSettings(HeadraceSettings):
    """Where mail, calls and files of the built-in tasks go. Raises InvalidSettings."""

    model_config = SettingsConfigDict(env_prefix=PREFIX)

    data_dir: Path = Path("headrace-data")
    """Facts, reports and processed files. Workers that share the counting need to share this folder."""

    smtp_host: str = "localhost"
    smtp_port: int = Field(default=25, ge=1, le=65535)
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_tls: bool = False
    """TLS from the first byte. Without it STARTTLS is used where the server offers it."""
    smtp_timeout_seconds: float = Field(default=20, gt=0)
    sender: str = "headrace@localhost"
    delay_desk: str = "delays@localhost"
    """Who gets a mail when a flight leaves late."""

    webhook_url: str | None = None
    """Where airlines learn of cancelled flights; `{carrier}` in it becomes the airline's code."""
    http_timeout_seconds: float = Field(default=20, gt=0)
    longest_wait_seconds: float = Field(default=3600, gt=0)
    """A server that asks for more patience than this (Retry-After) is asked again after this."""

    chunk_bytes: int = Field(default=1_000_000, ge=1)
    chunks_per_job: int = Field(default=10, ge=1)
    cleanup_roots: Annotated[tuple[Path, ...], NoDecode] = ()
    """Below these, and `reports` and `processed` of `data_dir`, files may be removed by age. Comma list."""

    @field_validator("cleanup_roots", mode="before")
    @classmethod
    def _split_roots(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(root.strip() for root in value.split(",") if root.strip())

    @property
    def facts_dir(self) -> Path:
        return self.data_dir / "facts"

    @property
    def reports_dir(self) -> Path:
        return self.data_dir / "reports"

    @property
    def processed_dir(self) -> Path:
        return self.data_dir / "processed"

    @property
    def removable_roots(self) -> tuple[Path, ...]:
        return (self.reports_dir, self.processed_dir, *self.cleanup_roots)
