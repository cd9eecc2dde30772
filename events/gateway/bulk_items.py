"""The items of `POST /jobs/bulk`: lines, or elements of an array, each of them a request of its own."""

from typing import Any

import pydantic_core
from pydantic import ValidationError

from events.gateway.problems import ErrorPlace, problem
from events.gateway.submission import JobSubmission, invalid, read_submission, unfit


def read_items(body: bytes, *, lines: bool) -> list[Any]:
    """The items as lines of JSON, or as parsed elements of an array. Raises a problem for any other body."""
    if lines:
        return [line for line in body.splitlines() if line.strip()]
    try:
        document = pydantic_core.from_json(body, allow_inf_nan=False)  # orjson makes large integers floats
    except ValueError as error:
        raise problem("not-json", f"The body is not JSON: {error}.") from None
    if not isinstance(document, list):
        raise invalid(ErrorPlace(pointer="", detail="Input should be a valid array"))
    return document


def submission_of(item: Any) -> JobSubmission:
    """The request in an item. Raises a problem with a pointer to each wrong place."""
    if isinstance(item, bytes):
        return read_submission(item)
    if type(item) is dict and not item.get("options"):
        try:
            return JobSubmission.model_validate(item)
        except ValidationError as error:
            raise unfit(error, pydantic_core.to_json(item)) from None
    # Strict JSON reads times from text, strict Python does not.
    return read_submission(pydantic_core.to_json(item))
