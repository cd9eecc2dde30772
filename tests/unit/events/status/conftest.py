from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.events.status.records import Fed


@pytest.fixture
def fed(tmp_path: Path) -> Iterator[Fed]:
    made = Fed(tmp_path / "status")
    yield made
    made.close()
