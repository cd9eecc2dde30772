"""From an event to what the handler gets, and the functions of a task's options that look at it.

Everything here runs code of the user before the handler does: whatever it raises makes the event invalid,
never the worker. One of the files with a catch-all.
"""

from collections.abc import Callable
from typing import Any

import orjson
from pydantic import BaseModel, ValidationError

from consumers.errors import EventError, InvalidEvent, UndecodableEvent
from consumers.validation import describe, is_unreadable
from schemas.cloudevent import JSON, CloudEvent, is_json
from schemas.job import JsonKey


def parse(event: CloudEvent, model: type[BaseModel] | None) -> Any:
    """The model of the event's data, or the envelope where there is no model.

    Raises UndecodableEvent and InvalidEvent.
    """
    try:
        if model is None:
            _ = event.data
            return event
        if event.raw_data is not None and not event.has_parsed_data and is_json(event.datacontenttype):
            return model.model_validate_json(event.raw_data)
        return model.model_validate(event.data)
    except ValidationError as error:
        raise _explained(event, error) from None
    except (ValueError, RecursionError) as error:
        raise UndecodableEvent(
            f"data of {event.type} are no {event.datacontenttype or JSON}: {error}"
        ) from None
    except Exception as error:
        raise InvalidEvent(f"a validator of {event.type} raised {type(error).__name__}") from error


def _explained(event: CloudEvent, error: ValidationError) -> EventError:
    if is_unreadable(error):
        return UndecodableEvent(f"data of {event.type}: {describe(error)}")
    return InvalidEvent(f"data of {event.type}: {describe(error)}")


def _as_is(answer: Any) -> Any:
    return answer


def ask(
    function: Callable[[Any], Any], payload: Any, *, option: str, kind: Callable[[Any], Any] = _as_is
) -> Any:
    """What a function of the options says about the payload. Raises InvalidEvent naming it when it raises.

    `kind` makes of the answer what is wanted, and may raise as well.
    """
    try:
        return kind(function(payload))
    except Exception as error:
        name = getattr(function, "__qualname__", repr(function))
        raise InvalidEvent(f"{option}={name} raised {type(error).__name__}") from error


def key_of(function: Callable[[Any], Any], payload: Any) -> JsonKey:
    """The idempotency key a function of the options makes, as a JSON value. Raises InvalidEvent."""
    key = ask(function, payload, option="idempotency_key")
    if key is None or key in ("", (), []):
        raise InvalidEvent("idempotency_key gave nothing: equal requests could not be told from others")
    try:
        return orjson.loads(orjson.dumps(key))  # type: ignore[no-any-return]
    except (TypeError, ValueError) as error:
        raise InvalidEvent(
            f"idempotency_key gave a {type(key).__name__}, which is no JSON: {error}"
        ) from error
