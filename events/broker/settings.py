"""Where the local broker keeps its jars and its data, and what may run it."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from events.settings import PREFIX, HeadraceSettings

KAFKA_VERSION = "4.4.0"
KAFKA_IMAGE = f"apache/kafka:{KAFKA_VERSION}"


class BrokerSettings(HeadraceSettings):
    """HEADRACE_BROKER_CACHE, _DATA, _PORT, _HEAP and _ENGINE, and JAVA_HOME."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", populate_by_name=True)

    broker_cache: Path = Path("~/.cache/headrace")
    broker_data: Path = Path(".headrace")
    broker_port: int = Field(default=9092, ge=1, le=65535)
    broker_heap: str = Field(default="768m", pattern=r"^\d+[mg]$")
    broker_engine: Literal["auto", "docker", "java"] = "auto"
    broker_ready_seconds: float = Field(default=90, gt=0)
    java_home: Path | None = Field(default=None, validation_alias="JAVA_HOME")

    def data_dir(self, port: int) -> Path:
        """The folder of the broker on that port."""
        return self.broker_data.expanduser() / f"broker-{port}"
