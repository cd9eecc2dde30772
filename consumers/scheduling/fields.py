"""`hour=3, minute=0` as a cron expression, with fields as people mean them. Pure.

Of what is not given, all that is smaller than the largest given field is at its lowest, the rest is every:
`weekday=0, hour=9` is Mondays at 09:00:00, `minute=30` half past every hour, `month=1` the first of January
at midnight. A day of month together with a weekday is a day that is both.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_BOUNDS: Final = {
    "second": (0, 59),
    "minute": (0, 59),
    "hour": (0, 23),
    "day": (1, 31),
    "month": (1, 12),
    "weekday": (0, 6),
}
_SMALLEST_FIRST: Final = ("second", "minute", "hour", "day", "month")
FIELDS: Final = tuple(_BOUNDS)


def expression_of(given: Mapping[str, Any]) -> tuple[str, bool]:
    """(cron expression, whether day and weekday must both fit) of named fields.

    A field is a number, a name (`"mon"`, `"jan"`), a span of names (`"mon-fri"`), every so many (`"*/15"`),
    or several of these in a list or set. Raises `ValueError` naming the field.
    """
    wanted = {name: _values(name, value) for name, value in given.items() if value is not None}
    if not wanted:
        raise ValueError(f"say when: an expression, every=, or some of {', '.join(FIELDS)}")
    weekday = wanted.pop("weekday", None)
    largest = max((_SMALLEST_FIRST.index(name) for name in wanted), default=-1)
    if weekday is not None:
        largest = max(largest, _SMALLEST_FIRST.index("hour") + 1)
    texts = []
    for place, name in enumerate(_SMALLEST_FIRST):
        if name in wanted:
            texts.append(wanted[name])
        elif place < largest and not (name == "day" and weekday is not None):
            texts.append(str(_BOUNDS[name][0]))
        elif name == "second":
            texts.append("0")
        else:
            texts.append("*")
    expression = " ".join([*texts, "*" if weekday is None else weekday])
    return expression.removeprefix("0 "), weekday is not None and "day" in wanted


def _values(name: str, value: Any) -> str:
    if name not in _BOUNDS:
        raise ValueError(f"{name}= is no field of a schedule: there are {', '.join(FIELDS)}")
    if isinstance(value, Iterable) and not isinstance(value, str):
        parts = [_values(name, each) for each in value]
        if not parts:
            raise ValueError(f"{name}= is empty: it would never run")
        return ",".join(parts)
    if isinstance(value, str):
        return _text(name, value.strip().lower())
    if isinstance(value, int) and not isinstance(value, bool):
        return _number(name, value)
    raise ValueError(f"{name}={value!r:.60}: wanted a number, a name, or several of them")


def _number(name: str, value: int) -> str:
    low, high = _BOUNDS[name]
    if not low <= value <= high:
        hint = " (Monday is 0)" if name == "weekday" else ""
        raise ValueError(f"{name}={value}: wanted {low} to {high}{hint}")
    return str((value + 1) % 7 if name == "weekday" else value)  # cron's Sunday is 0


def _text(name: str, text: str) -> str:
    if text.startswith("*/") and name != "weekday":
        _, high = _BOUNDS[name]
        if text[2:].isdecimal() and 0 < int(text[2:]) <= high:
            return text
    elif text.isdecimal():
        return _number(name, int(text))
    elif name == "day" and text in ("l", "lw"):
        return text.upper()
    names = {"weekday": WEEKDAYS, "month": MONTHS}.get(name, ())
    first, dash, last = text.partition("-")
    if first in names and (not dash or last in names):
        start, end = names.index(first), names.index(last or first)
        if end < start:
            end += len(names)
        low = _BOUNDS[name][0]
        return ",".join(_number(name, low + place % len(names)) for place in range(start, end + 1))
    if first.isdecimal() and last.isdecimal() and int(first) <= int(last) and name != "weekday":
        return f"{_number(name, int(first))}-{_number(name, int(last))}"
    example = {"weekday": "'mon' or 'mon-fri'", "month": "'jan'"}.get(name, "'*/15' or '10-20'")
    raise ValueError(f"{name}={text!r:.60}: wanted a number, or text such as {example}")
