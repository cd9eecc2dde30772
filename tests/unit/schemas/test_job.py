import json
import uuid
from pathlib import Path

import pytest
from pydantic import ValidationError

from schemas.job import NAMESPACE, UNFINISHED, JobRequested, JobState, derived_id, job_id

VECTORS = json.loads((Path(__file__).parents[3] / "schemas/vectors/job_id.json").read_text())


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
def test_every_client_names_a_job_the_same(vector: dict[str, str]) -> None:
    assert job_id(vector["task"], vector["idempotency_key"], vector["replay"]) == vector["job_id"]
    assert str(uuid.uuid5(uuid.UUID(VECTORS["namespace"]), vector["name"])) == vector["job_id"]


def test_the_namespace_never_changes() -> None:
    assert str(NAMESPACE) == VECTORS["namespace"] == "6f1f3f0c-9a52-5d0e-8d3c-7b1f0f5f2a10"


def test_outputs_have_ids_of_their_own() -> None:
    ids = {
        derived_id(parent, kind, index) for parent in "ab" for kind in ("event", "job") for index in (0, 1)
    }
    assert len(ids) == 8
    assert derived_id("a", "event", 0) == derived_id("a", "event", 0)


def test_a_job_is_finished_or_not() -> None:
    assert {state for state in JobState if not state.finished} == UNFINISHED


@pytest.mark.parametrize(
    "fields",
    [{"task": ""}, {"job_id": "x" * 129}, {"not_before_ms": -1}, {"deadline_ms": 10**18}, {"args": []}],
)
def test_a_request_out_of_bounds_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        JobRequested.model_validate({"task": "t", "job_id": "j"} | fields)
