"""JSON given on the command line: as it is, from a file (@FILE), or from stdin (-)."""

import sys
from pathlib import Path
from typing import Any

import click
import orjson


def bytes_of(text: str, *, option: str) -> bytes:
    """The bytes meant by an option's value."""
    if text == "-":
        return sys.stdin.buffer.read()
    if text.startswith("@"):
        try:
            return Path(text[1:]).read_bytes()
        except OSError as error:
            raise click.BadParameter(f"{text[1:]}: {error.strerror}", param_hint=option) from error
    return text.encode()


def json_of(text: str, *, option: str) -> Any:
    """The JSON value meant by an option's value."""
    return parsed(bytes_of(text, option=option), option=option)


def parsed(content: bytes, *, option: str) -> Any:
    """The JSON value of some bytes."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise click.BadParameter(f"not JSON: {error}", param_hint=option) from error
