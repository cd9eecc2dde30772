"""A process that writes a read model's database, some times for each word it gets, and says how far it is.

Arguments: the number of its end of a socket, the folder, bytes of a memtable.
"""

import random
import sys
from multiprocessing.connection import Connection
from pathlib import Path

from events.status import store as stores
from events.status.store import Write

KEYS = 5_000
WRITES_A_WORD = 25


def batch(number: int) -> list[Write]:
    """What the write of this number writes."""
    chance = random.Random(number)
    return [
        (
            b"%06d" % chance.randrange(KEYS),
            None if chance.random() < 0.2 else number.to_bytes(8, "big") + bytes(chance.randrange(300)),
        )
        for _ in range(20)
    ]


def main() -> None:
    stores._MEMTABLE_BYTES = int(sys.argv[3])  # type: ignore[misc]
    with Connection(int(sys.argv[1])) as connection:
        store = stores.open_store(Path(sys.argv[2]), app_id="a")
        connection.send(store.writes)
        while connection.recv():
            for _ in range(WRITES_A_WORD):
                store.write(batch(store.writes + 1))
                connection.send(store.writes)


if __name__ == "__main__":
    main()
