"""Metrics and probes over HTTP, from a thread of their own: they answer while the loop is blocked."""

import socket
import threading
from collections.abc import Callable, Iterable
from socketserver import TCPServer, ThreadingMixIn
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIEnvironment

import orjson
from prometheus_client import CollectorRegistry, make_wsgi_app

from consumers.errors import PortUnavailable
from consumers.telemetry.health import Health, Report

REQUEST_SECONDS: Final = 10.0
STOP_POLL_SECONDS: Final = 0.1


class HealthServer:
    """GET /metrics, /health/live, /health/ready. Port 0 takes any free one; `port` tells which.

    `start` raises PortUnavailable when the address cannot be had; `stop` twice is fine.
    """

    def __init__(self, *, host: str, port: int, registry: CollectorRegistry, health: Health) -> None:
        self._address = host, port
        self._routes: dict[str, Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]] = {
            "/metrics": make_wsgi_app(registry),
            "/health/live": _probe(health.live),
            "/health/ready": _probe(health.ready),
        }
        self._server: WSGIServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        return self._address[1] if self._server is None else self._server.server_port

    def start(self) -> None:
        host, port = self._address
        try:
            server = make_server(host, port, self._answer, _Server6 if ":" in host else _Server, _Handler)
        except OSError as error:
            raise PortUnavailable(
                f"{host}:{port} cannot be opened for metrics and health ({error.strerror}): "
                "set HEADRACE_PORT to a free port, 0 for any"
            ) from error
        self._server = server
        self._thread = threading.Thread(
            target=server.serve_forever, args=(STOP_POLL_SECONDS,), name="headrace-health", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        server, self._server = self._server, None
        thread, self._thread = self._thread, None
        if server is None or thread is None:
            return
        server.shutdown()
        server.server_close()
        thread.join()

    def _answer(self, request: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if request["REQUEST_METHOD"] != "GET":
            return _json(start_response, "405 Method Not Allowed", {"title": "only GET here"})
        route = self._routes.get(request.get("PATH_INFO", ""))
        if route is None:
            return _json(start_response, "404 Not Found", {"title": "not here", "paths": [*self._routes]})
        return route(request, start_response)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False

    def server_bind(self) -> None:
        # Not WSGIServer's: it asks the DNS for our name, which can take as long as the DNS likes.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.socket.getsockname()[:2]
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A prober that hangs up is its own affair; standard error is for our log."""


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    timeout = REQUEST_SECONDS  # a client that never finishes its request holds no thread for ever

    def log_message(self, format: str, *args: Any) -> None:
        """A probe every few seconds is not worth a line."""


def _probe(check: Callable[[], Report]) -> Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]:
    def answer(_request: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        report = check()
        return _json(start_response, "200 OK" if report.ok else "503 Service Unavailable", report.document())

    return answer


def _json(start_response: StartResponse, status: str, document: dict[str, Any]) -> Iterable[bytes]:
    body = orjson.dumps(document)
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response(status, [*headers, ("Cache-Control", "no-store")])
    return [body]
