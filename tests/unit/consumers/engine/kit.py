"""Stand-ins for what surrounds a part of the engine. Those that stand for Kafka have a suite of their own."""

from typing import Any


class Telemetry:
    """Takes every signal and remembers it."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: self.heard.append((name, args))
