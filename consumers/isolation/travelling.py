"""Results and exceptions on their way out of a child: whatever a handler gave or raised, something arrives.

Both may be of any type and raise when they are pickled: one of the files with a catch-all.
"""

import asyncio
import pickle
from typing import Any, Final

from pydantic_core import PydanticSerializationError, to_jsonable_python

from consumers.failures import failure_of, tell
from consumers.isolation.messages import Packed

# Raised in a coroutine these mean something of their own.
_MISLEADING: Final = (StopIteration, StopAsyncIteration, asyncio.CancelledError)


class NoJson:
    """Stands for a result that cannot leave its process, by the name of its type."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def stand_in(self) -> Any:
        """Something of a type of that name: no JSON either, and what is said about it names the type."""
        module, _, name = self.kind.rpartition(".")
        return type(name, (), {"__module__": module})()


def pack_result(result: Any) -> Any:
    """The result as JSON values; one that is no JSON becomes a `NoJson`."""
    try:
        return to_jsonable_python(result)
    except (PydanticSerializationError, ValueError, TypeError):
        return NoJson(f"{type(result).__module__}.{type(result).__qualname__}")


def unpack_result(result: Any) -> Any:
    return result.stand_in() if isinstance(result, NoJson) else result


def pack_error(error: BaseException) -> Packed:
    """The exception with its text and stack, which always travel."""
    return Packed(failure_of(error), _pickled(error), _pickled_class(type(error)))


def unpack_error(packed: Packed) -> BaseException:
    """The exception to raise here: of the same class where it can be had. It tells what the child told."""
    error = _unpickled(packed.error)
    if error is None:
        kind = pickle.loads(packed.kind)
        error = kind.__new__(kind, packed.failure.message)  # its own __init__ may want anything
    if isinstance(error, _MISLEADING):
        error = RuntimeError(packed.failure.message)
    tell(error, packed.failure)
    return error


def _pickled(error: BaseException) -> bytes | None:
    """None when it would not come out at the other end."""
    try:
        data = pickle.dumps(error)
        return data if type(pickle.loads(data)) is type(error) else None
    except Exception:
        return None


def _unpickled(data: bytes | None) -> BaseException | None:
    try:
        error = None if data is None else pickle.loads(data)
    except Exception:
        return None
    return error if isinstance(error, BaseException) else None


def _pickled_class(kind: type[BaseException]) -> bytes:
    """The class, or the nearest of its bases that can be imported by its name."""
    for each in kind.__mro__:
        try:
            return pickle.dumps(each)
        except Exception:
            continue
    return pickle.dumps(Exception)
