"""Errors of the demo. Each message says what to do.

ConsumersError
└── DemoError            the demo cannot be played
    ├── DataMissing      the packages with flights and mail server are not installed
    └── WorkerEnded      a worker of the demo ended; its log says why
"""

from consumers.errors import ConsumersError


class DemoError(ConsumersError):
    """The demo cannot be played."""


class DataMissing(DemoError):
    """A package only the demo needs is not installed."""


class WorkerEnded(DemoError):
    """A worker ended before it was told to."""
