"""The schema of the chart is closed, knows every default, and leaves open only what Kubernetes owns."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[3] / "helm" / "headrace"
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())

# Their fields are the API server's business.
OPEN = {"global", "podSecurityContext", "securityContext", "affinity", "requests", "limits", "rollingUpdate"}


# Known to the schema, without a default worth showing.
WITHOUT_DEFAULT = {"global", "claims", "rollingUpdate", "initialDelaySeconds", "successThreshold"}


def test_every_object_is_closed() -> None:
    for path, schema in objects(SCHEMA):
        if path.rpartition(".")[2] not in OPEN:
            assert "additionalProperties" in schema, path


def test_the_schema_and_the_defaults_know_the_same_keys() -> None:
    assert keys_of_values(VALUES, SCHEMA) == keys_of_schema(SCHEMA)


def objects(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if schema.get("type") == "object":
        yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from objects(child, f"{path}.{name}")


def keys_of_values(values: dict[str, Any], schema: dict[str, Any], path: str = "") -> set[str]:
    found: set[str] = set()
    for name, value in values.items():
        child = schema["properties"].get(name, {})
        inner = keys_of_values(value, child, f"{path}.{name}") if "properties" in child else set()
        found |= inner or {f"{path}.{name}"}
    return found


def keys_of_schema(schema: dict[str, Any], path: str = "") -> set[str]:
    found: set[str] = set()
    for name, child in schema["properties"].items():
        if name not in WITHOUT_DEFAULT:
            inner = keys_of_schema(child, f"{path}.{name}") if "properties" in child else set()
            found |= inner or {f"{path}.{name}"}
    return found
