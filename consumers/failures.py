"""An exception put into words that can be stored: type, message, and the stack from the handler on."""

import linecache
import sysconfig
from pathlib import Path
from types import TracebackType
from typing import Final

from consumers.outcomes import Failure
from schemas.deadletter import MESSAGE_LIMIT_CHARACTERS, STACK_LIMIT_CHARACTERS

_OWN: Final = str(Path(__file__).parent) + "/"
_OWN_TASKS: Final = (f"{_OWN}tasks/", f"{_OWN}demo/")
_PYTHON: Final = sysconfig.get_paths()["stdlib"] + "/"
_PLUMBING: Final = tuple(
    _PYTHON + name for name in ("asyncio/", "concurrent/", "threading.py", "contextlib.py")
)
_MOST_FRAMES: Final = 40
_MOST_CAUSES: Final = 5
_TOLD: Final = "_headrace_failure"


def failure_of(error: BaseException) -> Failure:
    """What went wrong. Cheap enough for thousands a second: it reads no more source than it shows."""
    told = error.__dict__.get(_TOLD)
    if isinstance(told, Failure):
        return told
    return Failure(name_of(type(error)), _message(error), _stack(error))


def tell(error: BaseException, failure: Failure) -> None:
    """Let this be what is said about the error: it was raised elsewhere, and its stack did not come along."""
    error.__dict__[_TOLD] = failure


def name_of(kind: type[BaseException]) -> str:
    """The class as one would import it; built-in ones without their module."""
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _message(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception as broken:
        text = f"(its text cannot be had: {type(broken).__name__})"
    return text[:MESSAGE_LIMIT_CHARACTERS].encode(errors="backslashreplace").decode()


def _stack(error: BaseException) -> str:
    parts: list[str] = []
    shown: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        if shown is None:
            break
        parts.append(_one(shown))
        direct = shown.__cause__
        joint = "caused by" if direct is not None else "while handling"
        shown = direct or (None if shown.__suppress_context__ else shown.__context__)
        if shown is not None:
            parts.append(f"{joint}\n")
    return _shortened("".join(parts))


def _one(error: BaseException) -> str:
    lines = [_frame(at) for at in _frames(error.__traceback__)[-_MOST_FRAMES:]]
    return "".join([*lines, f"{name_of(type(error))}: {_message(error)}\n"])


def _frames(traceback: TracebackType | None) -> list[TracebackType]:
    """From the handler on: what is ours and what runs it comes first, and tells the user nothing."""
    frames: list[TracebackType] = []
    while traceback is not None:
        frames.append(traceback)
        traceback = traceback.tb_next
    for index, at in enumerate(frames):
        if not _is_machinery(at.tb_frame.f_code.co_filename):
            return frames[index:]
    return frames


def _is_machinery(file: str) -> bool:
    if file.startswith(_OWN):
        return not file.startswith(_OWN_TASKS)
    return file.startswith(_PLUMBING)


def _frame(at: TracebackType) -> str:
    code = at.tb_frame.f_code
    source = linecache.getline(code.co_filename, at.tb_lineno).strip()
    head = f'  File "{code.co_filename}", line {at.tb_lineno}, in {code.co_name}\n'
    return f"{head}    {source}\n" if source else head


def _shortened(text: str) -> str:
    text = text.encode(errors="backslashreplace").decode()
    if len(text) <= STACK_LIMIT_CHARACTERS:
        return text
    half = STACK_LIMIT_CHARACTERS // 2 - 10
    return f"{text[:half]}\n  […]\n{text[-half:]}"
