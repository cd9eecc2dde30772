"""What pydantic found wrong, said without repeating the values: those may be anybody's secrets."""

from typing import Final, get_args

from pydantic import ValidationError
from pydantic_core.core_schema import ErrorType

# Messages of these carry the value, or whatever a validator of the user wrote.
_TELLTALE: Final = {"value_error", "assertion_error", "union_tag_invalid"}
_SPEAKABLE: Final = frozenset(get_args(ErrorType)) - _TELLTALE
_MOST_PROBLEMS: Final = 5
_PATH_LIMIT_CHARACTERS: Final = 120


def describe(error: ValidationError) -> str:
    """The fields and what is wrong with each, at most five of them."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    told = []
    for problem in problems[:_MOST_PROBLEMS]:
        path = ".".join(str(part) for part in problem["loc"])[:_PATH_LIMIT_CHARACTERS] or "(all of it)"
        what = problem["msg"] if problem["type"] in _SPEAKABLE else problem["type"]
        told.append(f"{path}: {what}")
    if len(problems) > _MOST_PROBLEMS:
        told.append(f"and {len(problems) - _MOST_PROBLEMS} more")
    return "; ".join(told)


def is_unreadable(error: ValidationError) -> bool:
    """Whether the bytes were no JSON at all, rather than JSON that does not fit."""
    return any(
        problem["type"] == "json_invalid" for problem in error.errors(include_url=False, include_input=False)
    )
