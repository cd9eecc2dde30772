"""The process that reads for `headrace gateway`, which starts it."""

import faulthandler
import os
import signal
import sys
from multiprocessing.connection import Connection
from typing import Final

from consumers.engine.connection import mend_connections
from consumers.telemetry.logs import configure
from events.garbage import collect_seldom
from events.gateway.settings import GatewaySettings
from events.status.ingest_process import ingest_for
from events.status.settings import StatusSettings

NICENESS: Final = 5  # where processors are short, answering goes before reading


def main() -> None:
    """Takes the number of its end of the socket."""
    # Whoever started us says when to stop, however many processes were signalled.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    settings = GatewaySettings()
    configure(settings)
    mend_connections()
    collect_seldom()
    faulthandler.enable()
    os.nice(NICENESS)
    with Connection(int(sys.argv[1])) as connection:
        ingest_for(connection, StatusSettings(status_dir=settings.gateway_state_dir))


if __name__ == "__main__":
    main()
