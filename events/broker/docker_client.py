"""Finding a Docker engine on this machine, as testcontainers would, and quickly.

An engine elsewhere is left alone: its ports are not ours, and a local broker is to be local.
"""

import socket
from typing import Any
from urllib.parse import urlparse

from events.errors import ToolMissing

DEFAULT_HOST = "unix:///var/run/docker.sock"
PING_TIMEOUT_SECONDS = 3
CALL_TIMEOUT_SECONDS = 120


def docker_answers() -> bool:
    """Whether an engine on this machine answers within seconds."""
    try:
        docker_client().close()
    except ToolMissing:
        return False
    return True


def docker_client() -> Any:
    """A client of an engine that answers. Raises ToolMissing."""
    try:
        from docker.errors import DockerException
        from testcontainers.core.docker_client import DockerClient, get_docker_host
    except ImportError as error:
        raise ToolMissing("The Python package testcontainers is not installed.") from error
    host = get_docker_host() or DEFAULT_HOST
    # Asked first, because docker's own client leaks its socket when nobody listens.
    if not listens(host):
        raise ToolMissing(f"No Docker engine of this machine listens at {host}.")
    try:
        client = DockerClient(timeout=PING_TIMEOUT_SECONDS).client
        client.ping()
    except (DockerException, OSError) as error:
        raise ToolMissing(f"The Docker engine at {host} does not answer: {error}") from error
    client.api.timeout = CALL_TIMEOUT_SECONDS
    return client


def listens(host: str) -> bool:
    """Whether something of this machine listens at a DOCKER_HOST address."""
    url = urlparse(host)
    local = url.scheme == "tcp" and url.hostname in ("localhost", "127.0.0.1", "::1")
    try:
        if url.scheme in ("unix", "http+unix"):
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(PING_TIMEOUT_SECONDS)
                probe.connect(url.path)
            return True
        if local:
            with socket.create_connection((url.hostname, url.port or 2375), timeout=PING_TIMEOUT_SECONDS):
                return True
    except OSError:
        return False
    return False
