"""The gateway as a process: one uvicorn in it, until told to stop."""

import asyncio
import faulthandler
import signal
from types import FrameType

import uvicorn
from fastapi import FastAPI

from events.errors import EventsError
from events.garbage import collect_seldom
from events.gateway.settings import GatewaySettings

KEEP_ALIVE_SECONDS = 75


class PortUnavailable(EventsError):
    """The address cannot be had."""


class _Server(uvicorn.Server):
    """Tells whoever waits that it stops: long polls and streams end then, instead of holding the stop up."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self._stopping = stopping

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._stopping.set()
        super().handle_exit(sig, frame)


def serve(app: FastAPI, settings: GatewaySettings) -> None:
    """Serve until SIGTERM or SIGINT; requests begun are answered, for `gateway_drain_seconds`.

    Raises PortUnavailable.
    """
    config = uvicorn.Config(
        app,
        host=settings.gateway_host,
        port=settings.gateway_port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(1, round(settings.gateway_drain_seconds)),
        backlog=2048,
    )
    server = _Server(config, app.state.parts.stopping)
    try:
        listening = config.bind_socket()
    except SystemExit:
        raise PortUnavailable(
            f"{settings.gateway_host}:{settings.gateway_port} cannot be opened: "
            "set HEADRACE_GATEWAY_PORT to a free port, 0 for any"
        ) from None
    collect_seldom()
    faulthandler.enable()
    # uvicorn raises the signal again once it has stopped; a good stop ends with 0.
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, _stopped)
    server.run(sockets=[listening])


def _stopped(_number: int, _frame: FrameType | None) -> None:
    pass
