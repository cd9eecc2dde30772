"""Domain events as classes: what happened, under which type and version, on which topic.

Every class that names a `type` is in the catalogue, so a type string finds its model, and no two classes can
claim one (type, version).
"""

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict

from schemas.cloudevent import CloudEvent

VERSION_EXTENSION: Final = "dataversion"

_catalogue: dict[tuple[str, int], type["DomainEvent"]] = {}
CATALOGUE: Final[Mapping[tuple[str, int], type["DomainEvent"]]] = MappingProxyType(_catalogue)
"""Every domain event there is, by (type, version)."""


class DomainEvent(BaseModel):
    """Something that happened. Subclasses name `type` (past tense), `topic` and, from 2 on, `version`.

    Fields unknown to this version are ignored when read, so that a publisher may be newer than its readers.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", serialize_by_alias=True)

    type: ClassVar[str]
    version: ClassVar[int] = 1
    topic: ClassVar[str]

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        super().__pydantic_init_subclass__(**options)
        if "type" in cls.__dict__:
            _enter(cls)

    def key(self) -> str | None:
        """The record key: events with equal keys keep their order. None: each event stands for itself."""
        return None

    def occurred_at(self) -> dt.datetime | None:
        """When it happened, if the event says so. Becomes the event's `time`."""
        return None

    def to_event(self, *, source: str, id: str | None = None, time: dt.datetime | None = None) -> CloudEvent:
        """The envelope to publish. Without `id` it gets a random one, without `time` its `occurred_at`."""
        return CloudEvent(
            id=id,
            source=source,
            type=self.type,
            time=time or self.occurred_at(),
            raw_data=self.model_dump_json().encode(),
            extensions={} if self.version == 1 else {VERSION_EXTENSION: str(self.version)},
        )


def model_of(type: str, version: int = 1) -> type[DomainEvent] | None:
    """The class of a (type, version), if one is known to this process."""
    return _catalogue.get((type, version))


def _enter(cls: type[DomainEvent]) -> None:
    _check(cls)
    identity = (cls.type, cls.version)
    other = _catalogue.get(identity)
    if other is not None and _place(other) != _place(cls):  # the same place again is a reloaded module
        raise TypeError(
            f"{_place(cls)} and {_place(other)} are both version {cls.version} of {cls.type!r}: "
            "rename one, or give it another version"
        )
    _catalogue[identity] = cls


def _check(cls: type[DomainEvent]) -> None:
    for attribute, example in (("type", "flight.departed"), ("topic", "flights")):
        value = getattr(cls, attribute, None)
        if not isinstance(value, str) or not value:
            raise TypeError(f"{_place(cls)}: {attribute} is {value!r}, expected text such as {example!r}")
    if not isinstance(cls.version, int) or cls.version < 1:
        raise TypeError(f"{_place(cls)}: version is {cls.version!r}, expected a whole number from 1")


def _place(cls: type[DomainEvent]) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
