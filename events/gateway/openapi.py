"""`/openapi.json`, exact: every problem a route answers with, every schema it names, who may call it."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from events.gateway.event_routes import EventsTaken
from events.gateway.job_routes import BulkResults
from events.gateway.problems import ProblemDocument
from events.gateway.submission import Accepted, JobSubmission

_REF: Final = "#/components/schemas/{model}"
_NAMED: Final[tuple[tuple[type[BaseModel], Any], ...]] = (
    (JobSubmission, "validation"),
    (Accepted, "serialization"),
    (BulkResults, "serialization"),
    (EventsTaken, "serialization"),
    (ProblemDocument, "serialization"),
)
_OPEN: Final = ("/health/", "/metrics", "/problems", "/openapi.json")


def document_of(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, made once."""
    if app.openapi_schema:
        return app.openapi_schema
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    _, named = models_json_schema(_NAMED, ref_template=_REF)
    for name, schema in named["$defs"].items():
        schemas.setdefault(name, schema)
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    components["securitySchemes"] = {
        "ApiKey": {"type": "http", "scheme": "bearer", "description": "A key of `headrace gateway keys new`."}
    }
    for path, methods in document["paths"].items():
        for operation in methods.values():
            operation["security"] = [] if path.startswith(_OPEN) else [{"ApiKey": []}]
            _without_default_422(operation)
    app.openapi_schema = document
    return document


def _without_default_422(operation: dict[str, Any]) -> None:
    """FastAPI documents an answer of its own for wrong requests, which is never given."""
    answer = operation["responses"].get("422")
    if answer is not None:
        answer.get("content", {}).pop("application/json", None)
        if not answer.get("content"):
            del operation["responses"]["422"]
