"""From what is known to HTML: the templates and what they may use.

Whatever comes from outside is text: escaped, with control characters made visible.
"""

import functools
import hashlib
from collections.abc import Mapping
from importlib import resources
from typing import Any, Final, NamedTuple

import jinja2
from markupsafe import Markup

from events.gateway.pages import payloads, wording
from schemas.job import JobState

_FILES: Final = {"style.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}


class Asset(NamedTuple):
    """A file the pages use, under a name that changes with it."""

    path: str
    content: bytes
    media_type: str


@functools.cache
def assets() -> Mapping[str, Asset]:
    """Every file by the name it has here."""
    found = {}
    for name, media_type in _FILES.items():
        content = resources.files(__package__).joinpath(name).read_bytes()
        stem, _, suffix = name.partition(".")
        digest = hashlib.sha256(content).hexdigest()[:12]
        found[name] = Asset(f"/ui/files/{stem}-{digest}.{suffix}", content, media_type)
    return found


def render(template: str, **values: Any) -> bytes:
    """A page as UTF-8."""
    html = _environment().get_template(template).render(**values)
    return html.encode(errors="replace")


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_printable,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "said": wording.said,
        "iso": wording.iso,
        "duration": wording.duration,
        "number": wording.number,
        "size": wording.size,
        "short": payloads.shorten,
        "payload": payloads.payload,
        "json_payload": payloads.json_payload,
    }
    environment.globals |= {
        "away": wording.away,
        "asset": lambda name: assets()[name].path,
        "states": list(JobState),
        "meanings": wording.STATES,
    }
    return environment


def _printable(value: Any) -> Any:
    if value is None:
        return ""
    return payloads.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
