"""The webhook of the airlines: at times overloaded or asking for patience, and one address is stale."""

import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from consumers.demo.moods import Moods, one_in
from consumers.tasks.exchange import IDEMPOTENCY_KEY

HOST: Final = "127.0.0.1"
CHANCES: Final = {"overloaded": 0.12, "patience": 0.06, "hangs_up": 0.05}
RETRY_AFTER_SECONDS: Final = 2
_STALE_ONE_IN: Final = 40
_SECONDS: Final = 0.05

Answer = tuple[int, dict[str, str]]


@dataclass(slots=True)
class AirlineStub:
    """Start it, read `accepted` (idempotency keys), stop it. Each call has a thread."""

    moods: Moods = field(default_factory=lambda: Moods(CHANCES))
    accepted: set[str] = field(default_factory=set)
    _server: ThreadingHTTPServer | None = None
    _thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """With the place for the airline's code, as the task's setting takes it."""
        assert self._server is not None, "start it first"
        return f"http://{HOST}:{self._server.server_address[1]}/{{carrier}}/cancelled"

    def start(self) -> None:
        self._server = ThreadingHTTPServer((HOST, 0), _handler_of(self))
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Safe twice."""
        server, self._server = self._server, None
        if server is None or self._thread is None:
            return
        server.shutdown()
        server.server_close()
        self._thread.join()

    def answer(self, key: str) -> Answer | None:
        """What to say to a call with this idempotency key; None hangs up."""
        if one_in(key, _STALE_ONE_IN):
            return 410, {}
        match self.moods.next():
            case "overloaded":
                return 503, {}
            case "patience":
                return 429, {"Retry-After": str(RETRY_AFTER_SECONDS)}
            case "hangs_up":
                return None
            case _:
                self.accepted.add(key)
                return 202, {}


def _handler_of(stub: AirlineStub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            time.sleep(_SECONDS)
            answer = stub.answer(self.headers.get(IDEMPOTENCY_KEY, ""))
            if answer is None:
                self.close_connection = True
                return
            status, headers = answer
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass  # the demo's screen is not for access logs

    return Handler
