"""What the read model needs to know, read once from HEADRACE_* variables and frozen."""

from pathlib import Path

from pydantic import Field

from events.settings import ClientSettings


class StatusSettings(ClientSettings):
    """Settings of the read model. Durations are seconds. Raises InvalidSettings."""

    status_dir: Path = Path("headrace-status")
    status_catch_up_seconds: float = Field(default=15.0, gt=0, le=300)  # at most, before an answer
    status_ready_lag_seconds: float = Field(default=10.0, gt=0)  # behind the log, and still ready
    status_batch_records: int = Field(default=500, ge=1)  # folded at once; reads wait for one batch at most
    status_pause_file: Path | None = None  # for tests: nothing is read while it exists
