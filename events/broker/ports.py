"""Ports: a free one, and who holds one that is taken."""

import shutil
import socket
import subprocess

from events.broker.server_properties import HOST


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def port_taken(port: int) -> bool:
    """Whether something listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
        return False


def port_holder(port: int) -> str:
    """Words for the program that listens on the port, as far as this machine tells."""
    for command in (["ss", "-Hltnp", f"sport = :{port}"], ["lsof", "-nP", f"-iTCP:{port}", "-sTCP:LISTEN"]):
        if not shutil.which(command[0]):
            continue
        shown = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10).stdout
        if shown.strip():
            return shown.strip().splitlines()[-1]
    return f"unknown; `ss -ltnp 'sport = :{port}'` or `lsof -i :{port}` tells"
