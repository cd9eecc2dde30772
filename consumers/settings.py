"""What a worker needs to know, read once from HEADRACE_* variables and frozen."""

import json
import os
import socket
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from events.settings import ClientSettings


class WorkerSettings(ClientSettings):
    """Settings of `headrace worker`. Durations are seconds. Raises InvalidSettings."""

    task_modules: Annotated[tuple[str, ...], NoDecode] = ("consumers.tasks",)
    json_topics: Annotated[dict[str, str], NoDecode] = Field(
        default_factory=dict
    )  # topic → event type of its bare JSON records
    state_dir: Path = Path("headrace-state")
    host: str = "0.0.0.0"
    port: int = Field(default=8080, ge=0, le=65535)
    instance_id: str | None = None  # static membership: a restart inside the session causes no rebalance
    worker_name: str = Field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}")

    max_jobs: int = Field(default=4000, ge=1)  # running at once in this worker
    partition_in_flight: int = Field(default=4000, ge=1)  # taken and unsettled, for each partition
    max_distance: int = Field(default=20_000, ge=1)  # offsets between the watermark and the newest taken
    thread_pool_size: int = Field(default=32, ge=1)
    process_pool_size: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1)  # children at most
    process_grace_seconds: float = Field(default=5.0, ge=0)  # from a child's soft stop until it is killed
    drain_seconds: float = Field(default=20.0, ge=0)
    detach_after_seconds: float = Field(default=30.0, gt=0)
    show_running_after_seconds: float = Field(default=1.0, gt=0)  # then others see that a job runs
    session_timeout_seconds: float = Field(default=10.0, ge=6.0, le=300.0)
    gather_seconds: float = Field(default=0.01, ge=0, le=1)  # between two group commits of a busy partition
    commit_interval_seconds: float = Field(default=1.0, gt=0)
    unknown_task_patience_seconds: float = Field(default=900.0, ge=0)
    repair_interval_seconds: float = Field(default=60.0, gt=0)  # between looks for foreign writes
    sweep_interval_seconds: float = Field(default=300.0, gt=0)  # between rounds of deleting what expired
    max_result_bytes: int = Field(default=256_000, ge=0)
    max_message_bytes: int = Field(default=1_000_000, ge=1_000)

    topics_auto_apply: bool = True
    default_partitions: int = Field(default=6, ge=1)
    jobs_partitions: int = Field(default=6, ge=1)
    replication_factor: int | None = Field(default=None, ge=1)

    log_format: Literal["auto", "json", "console"] = "auto"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("task_modules", mode="before")
    @classmethod
    def _split_modules(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(name for part in value.strip("[] ").split(",") if (name := part.strip(" \"'")))

    @field_validator("json_topics", mode="before")
    @classmethod
    def _read_topics(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value or "{}")
        except ValueError:
            raise ValueError('wanted JSON such as {"topic": "event.type"}') from None

    def faust_credentials(self) -> Any:
        """The security settings as Faust wants them; None for PLAINTEXT."""
        if self.security_protocol == "PLAINTEXT":
            return None
        import faust

        context = self.kafka_arguments().get("ssl_context")
        if not self.security_protocol.startswith("SASL"):
            return faust.SSLCredentials(context)
        password = self.sasl_password.get_secret_value() if self.sasl_password else None
        return faust.SASLCredentials(
            username=self.sasl_username,
            password=password,
            mechanism=self.sasl_mechanism,
            ssl_context=context,
        )
