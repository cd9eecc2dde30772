"""What all routes that read have in common: who may, what they read from, what they say when they cannot."""

import datetime as dt
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import Depends, Request, Response
from pydantic import BaseModel

from events.errors import BrokerDown, BrokerUnreachable
from events.gateway.access import needs
from events.gateway.keys import Scope
from events.gateway.parts import parts_of
from events.gateway.problems import EVERYWHERE, documented, problem
from events.status.errors import Behind
from events.status.reader import StatusReader

RETRY_SECONDS: Final = 1
WAIT_PATTERN: Final = r"^[0-9]{1,6}(\.[0-9]{1,3})?(ms|s|m)?$"
LONGEST_WAIT_SECONDS: Final = 300.0
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, None: 1.0}

MayRead: Final = Depends(needs(Scope.READ))


def answers(*slugs: str) -> dict[int | str, dict[str, Any]]:
    """The problems a route that reads answers with."""
    return documented(*EVERYWHERE, "not-ready", "kafka-unavailable", *slugs)


def status_of(request: Request) -> StatusReader:
    """The read model of this gateway."""
    status = parts_of(request).status
    if not isinstance(status, StatusReader):
        raise problem("not-ready", "This gateway keeps no status of jobs.", retry_after=60)
    return status


@asynccontextmanager
async def looking() -> AsyncIterator[None]:
    """Inside, a read model that is behind and a Kafka that is away are problems."""
    try:
        yield
    except Behind as error:
        raise problem("not-ready", str(error), retry_after=RETRY_SECONDS) from error
    except (BrokerDown, BrokerUnreachable) as error:
        raise problem("kafka-unavailable", str(error), retry_after=RETRY_SECONDS) from error


def json_of(model: BaseModel, **headers: str) -> Response:
    """The answer that is a model; validated when it was made, so not again."""
    return Response(model.model_dump_json(), media_type="application/json", headers=headers)


def seconds_of(wait: str | None) -> float:
    """The seconds of `30s`, `500ms`, `2m` or `30`: what fits WAIT_PATTERN; at most LONGEST_WAIT_SECONDS."""
    if wait is None:
        return 0.0
    number, unit = re.fullmatch(r"([0-9.]+)(ms|s|m)?", wait).groups()  # type: ignore[union-attr]
    return min(float(number) * _UNITS[unit], LONGEST_WAIT_SECONDS)


def ms_of(time: dt.datetime | None) -> int | None:
    """Milliseconds since 1970, 0 for what is before."""
    return None if time is None else max(0, round(time.timestamp() * 1000))
