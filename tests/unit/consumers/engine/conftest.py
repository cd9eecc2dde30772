from types import SimpleNamespace

import pytest

from consumers.engine import statedb
from tests.unit.consumers.engine.memory import MemoryBatch


@pytest.fixture
def batches_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every `StateDb` writes to a `MemoryRocks`."""
    monkeypatch.setattr(statedb, "rocksdict", SimpleNamespace(WriteBatch=MemoryBatch))
