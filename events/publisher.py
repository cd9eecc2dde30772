"""Publishing events: what is published is on enough disks when `publish` returns.

async with Publisher() as publisher:
    await publisher.publish(FlightDeparted(...))
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Self

from events import codec
from events.sender import Record, Sender
from events.settings import ClientSettings
from schemas.cloudevent import CloudEvent
from schemas.domain import DomainEvent, model_of
from schemas.state import Position

MAX_MESSAGE_BYTES: Final = 1_000_000
"""Kafka's own default for a topic is 1,048,588 bytes for a whole batch."""

Publishable = CloudEvent | DomainEvent


class Publisher:
    """Publishes events with acks=all through one connection. Use it as an async context manager.

    `source` is that of domain events, `/<app id>` unless given. `timeout_seconds` bounds waits for Kafka.
    """

    def __init__(
        self,
        settings: ClientSettings | None = None,
        *,
        source: str | None = None,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
        timeout_seconds: float = 30.0,
    ) -> None:
        self._settings = settings or ClientSettings()
        self._source = source or f"/{self._settings.app_id}"
        self._sender = Sender(
            self._settings, max_message_bytes=max_message_bytes, timeout_seconds=timeout_seconds
        )

    async def __aenter__(self) -> Self:
        await self._sender.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._sender.stop()

    async def publish(
        self,
        event: Publishable,
        *,
        topic: str | None = None,
        key: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Position:
        """Publish one event and return where it is.

        Topic and key are those of the event unless given; an event without key is keyed by its id.
        `headers` are added to the record. Raises PublishError (see `events.errors`), and ValueError or
        TypeError for an event that cannot be written: no topic, a time without zone, data that are not JSON.
        """
        return await self._sender.send(self.record(event, topic=topic, key=key, headers=headers))

    async def publish_many(
        self, events: Iterable[Publishable], *, topic: str | None = None
    ) -> list[Position]:
        """Publish events side by side; those of one key keep their order.

        All are checked before the first is sent. When one fails the first failure is raised after the others
        ended; they may be stored.
        """
        return await self.send_many([self.record(event, topic=topic) for event in events])

    async def send_many(self, records: Sequence[Record]) -> list[Position]:
        """The same for records made by `record`."""
        for record in records:
            self._sender.check_size(record)
        # Looked up first: then all of them stand in line at once, in their order.
        for each in {record.topic for record in records}:
            await self._sender.check_topic(each)
        sent = await asyncio.gather(*map(self._sender.send, records), return_exceptions=True)
        for outcome in sent:
            if isinstance(outcome, BaseException):
                raise outcome
        return [position for position in sent if not isinstance(position, BaseException)]

    def record(
        self,
        event: Publishable,
        *,
        topic: str | None = None,
        key: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Record:
        """The record of an event, without sending it."""
        if isinstance(event, DomainEvent):
            topic, key = topic or event.topic, event.key() if key is None else key
            event = event.to_event(source=self._source)
        value, written = codec.encode(event)
        return Record(
            topic=topic or _topic_of(event),
            key=_bytes(event.id if key is None else key),
            value=value,
            headers=[*written, *_extra(headers or {})],
        )


def _topic_of(event: CloudEvent) -> str:
    model = model_of(event.type, event.version)
    if model is None:
        raise ValueError(f"no topic for {event.type!r}: name it, publish(event, topic=...)")
    return model.topic


def _bytes(key: str | bytes) -> bytes:
    return key.encode() if isinstance(key, str) else key


def _extra(headers: Mapping[str, str]) -> list[tuple[str, bytes]]:
    for name in headers:
        if name.startswith("ce_") or name.lower() == codec.CONTENT_TYPE:
            raise ValueError(f"header {name!r} belongs to the event: set it there")
    return [(name, text.encode()) for name, text in headers.items()]
