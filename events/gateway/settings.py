"""What the gateway needs to know, read once from HEADRACE_* variables and frozen."""

import ipaddress
import json
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from events.settings import ClientSettings

LOOPBACK_NAMES: Final = frozenset({"localhost", "localhost.localdomain", "ip6-localhost"})

Json = Annotated[dict[str, Any], NoDecode]


class GatewaySettings(ClientSettings):
    """Settings of `headrace gateway`. Durations are seconds. Raises InvalidSettings.

    Without any API key everybody who reaches the gateway may do everything; so it then listens on this
    machine alone and refuses any other host.
    """

    gateway_host: str = "127.0.0.1"
    gateway_port: int = Field(default=8000, ge=0, le=65535)
    gateway_state_dir: Path = Path("headrace-gateway-state")
    gateway_api_keys: Annotated[
        tuple[str, ...], NoDecode
    ] = ()  # `id:scope+scope:sha256`, separated by commas
    gateway_api_keys_file: Path | None = None  # the same, one a line
    gateway_session_secret: SecretStr | None = None  # signs sessions of pages; equal on every replica
    gateway_session_seconds: int = Field(default=12 * 3600, ge=60)
    gateway_metrics_open: bool = True  # /metrics without a key

    gateway_max_body_bytes: int = Field(default=8_000_000, ge=1_000)
    gateway_max_bulk_items: int = Field(default=10_000, ge=1)
    gateway_requests_per_second: float = Field(default=20_000.0, ge=0)  # of one caller; 0 is no limit
    gateway_burst_requests: int = Field(default=20_000, ge=1)
    gateway_max_depth: Annotated[dict[str, int], NoDecode] = Field(default_factory=dict)
    # ^ jobs that may wait: {"send_email": 10000, "send_email/low": 1000, "*/low": 50000}
    gateway_event_topics: Annotated[dict[str, str], NoDecode] = Field(default_factory=dict)
    # ^ event type → topic of `POST /events`, beside what tasks subscribe to

    gateway_kafka_timeout_seconds: float = Field(default=5.0, gt=0, le=300)
    gateway_answer_seconds: float = Field(default=5.0, ge=0, le=60)  # wait for the answer to a command
    gateway_idempotency_seconds: int = Field(default=86_400, ge=0)  # how long an Idempotency-Key is known
    gateway_max_idempotency_keys: int = Field(default=500_000, ge=1)
    gateway_drain_seconds: float = Field(default=10.0, ge=0)
    max_message_bytes: int = Field(default=1_000_000, ge=1_000)

    log_format: Literal["auto", "json", "console"] = "auto"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("gateway_api_keys", mode="before")
    @classmethod
    def _split_keys(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(line for part in value.split(",") if (line := part.strip()))

    @field_validator("gateway_max_depth", "gateway_event_topics", mode="before")
    @classmethod
    def _read_json(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value or "{}")
        except ValueError:
            raise ValueError("wanted a JSON object") from None

    @model_validator(mode="after")
    def _not_open_to_everybody(self) -> Self:
        if not self.has_keys and not is_loopback(self.gateway_host):
            raise ValueError(
                f"HEADRACE_GATEWAY_HOST={self.gateway_host!r}: without any API key the gateway listens on "
                "this machine alone. Make a key with `headrace gateway keys new` and name it in "
                "HEADRACE_GATEWAY_API_KEYS or HEADRACE_GATEWAY_API_KEYS_FILE, or use 127.0.0.1"
            )
        return self

    @property
    def has_keys(self) -> bool:
        return bool(self.gateway_api_keys) or self.gateway_api_keys_file is not None


def is_loopback(host: str) -> bool:
    """Whether a host is this machine and nothing else."""
    if host.lower().rstrip(".") in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
