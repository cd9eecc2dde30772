"""Lengths and points of time on the command line."""

import datetime as dt
import re
from typing import Any, Final

import click

from events.errors import Undecodable
from events.times import event_time

_UNITS: Final = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_LENGTH: Final = re.compile(r"(?:\d+(?:\.\d+)?[wdhms])+")


class Length(click.ParamType):
    """Seconds, or text such as `90s`, `2h30m`, `3d`, `2w`."""

    name = "length"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        text = str(value).strip().lower()
        try:
            return _seconds(text)
        except ValueError:
            self.fail(f"{value!r}: wanted seconds, or a length such as 90s, 2h30m or 3d", param, ctx)


class Moment(click.ParamType):
    """An RFC 3339 time with its zone."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.datetime:
        try:
            return event_time(str(value))
        except Undecodable as error:
            self.fail(str(error), param, ctx)


def _seconds(text: str) -> float:
    if _LENGTH.fullmatch(text):
        return sum(float(part[:-1]) * _UNITS[part[-1]] for part in re.findall(r"[\d.]+[wdhms]", text))
    seconds = float(text)
    if not 0 <= seconds < float("inf"):
        raise ValueError(text)
    return seconds
