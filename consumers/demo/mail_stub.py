"""A mail server that takes mail most of the time: sometimes busy, sometimes gone, and it knows spam."""

import asyncio
import email
from dataclasses import dataclass, field
from typing import Any, Final

from consumers.demo.errors import DataMissing
from consumers.demo.moods import Moods, one_in
from events.broker.ports import free_port

HOST: Final = "127.0.0.1"
CHANCES: Final = {"busy": 0.06, "hangs_up": 0.03}
_SPAM_ONE_IN: Final = 60
_SECONDS: Final = 0.03


@dataclass
class MailStub:
    """Start it, read `accepted` (message ids), stop it. Runs in a thread of its own."""

    moods: Moods = field(default_factory=lambda: Moods(CHANCES))
    accepted: set[str] = field(default_factory=set)
    port: int = 0
    _controller: Any = None

    def start(self) -> None:
        """Raises DataMissing when aiosmtpd is not installed."""
        try:
            from aiosmtpd.controller import Controller
        except ImportError as error:
            raise DataMissing("The demo's mail server is a package: pip install 'headrace[demo]'") from error
        self.port = free_port()
        self._controller = Controller(self, hostname=HOST, port=self.port)
        self._controller.start()

    def stop(self) -> None:
        """Safe twice."""
        controller, self._controller = self._controller, None
        if controller is not None:
            controller.stop()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        await asyncio.sleep(_SECONDS)
        message_id = str(email.message_from_bytes(envelope.content)["Message-ID"])
        if one_in(message_id, _SPAM_ONE_IN):
            return "554 5.7.1 this looks like spam"
        match self.moods.next():
            case "busy":
                return "451 4.3.2 too many connections, try again later"
            case "hangs_up":
                server.transport.abort()
                return "421 4.3.0 gone"
            case _:
                self.accepted.add(message_id)
                return "250 2.0.0 taken"
