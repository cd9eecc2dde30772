"""Fetch sessions (KIP-227) for aiokafka's consumer, which has none.

Without one, every request names every assigned partition, and every answer tells of each although only one
has news. With one, the broker remembers what is being read, and both sides name only what changed.
"""

from typing import Any, Final

from aiokafka.protocol.fetch import FetchRequest, FetchRequestStruct

INITIAL_EPOCH: Final = 0  # asks for a new session, and ends the one named with it
LAST_EPOCH: Final = 2**31 - 1
_SESSION_LOST: Final = (70, 71)  # FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH
_FIRST_VERSION_WITH_SESSIONS: Final = 7

Place = tuple[str, int]  # topic and partition
Wanted = dict[Place, tuple[int, int]]  # from which offset, and how many bytes at most


class FetchSession:
    """What one broker remembers of our fetches."""

    __slots__ = ("epoch", "id", "known")

    def __init__(self) -> None:
        self.id = 0
        self.epoch = INITIAL_EPOCH
        self.known: Wanted = {}

    def changes(self, wanted: Wanted) -> tuple[Wanted, list[Place]]:
        """(what the next request has to name, what the broker is to forget)."""
        if self.epoch == INITIAL_EPOCH:
            return wanted, []
        changed = {place: how for place, how in wanted.items() if self.known.get(place) != how}
        return changed, [place for place in self.known if place not in wanted]

    def answered(self, wanted: Wanted, id: int) -> None:
        """The broker knows all of `wanted` now; with an id of 0 it remembers none of it."""
        self.id = id
        self.epoch = INITIAL_EPOCH if id == 0 else self.epoch % LAST_EPOCH + 1
        self.known = wanted

    def start_over(self) -> None:
        """Nobody knows what the broker remembers: the next request names everything."""
        self.epoch = INITIAL_EPOCH


class SessionClient:
    """aiokafka's client as its fetcher sees it; fetches go through a session for each broker."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._sessions: dict[int, FetchSession] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def send(self, node_id: int, request: Any) -> Any:
        """As the client's. The answer to a fetch leaves out partitions without news."""
        if not isinstance(request, FetchRequest):
            return await self._client.send(node_id, request)
        session = self._sessions.setdefault(node_id, FetchSession())
        wanted = {
            (topic, partition): (offset, max_bytes)
            for topic, partitions in request.topics
            for partition, offset, max_bytes in partitions
        }
        while True:
            try:
                response = await self._client.send(node_id, _SessionRequest(request, session, wanted))
            except BaseException:
                session.start_over()
                raise
            error_code = getattr(response, "error_code", 0)  # a broker without sessions has neither
            if error_code == 0:
                session.answered(wanted, getattr(response, "session_id", 0))
                return response
            lost = error_code in _SESSION_LOST and session.epoch != INITIAL_EPOCH
            session.start_over()
            if not lost:
                return response


def with_sessions(consumer: Any) -> None:
    """Let a started consumer fetch through sessions. Safe to call twice."""
    fetcher = consumer._fetcher
    if not isinstance(fetcher._client, SessionClient):
        fetcher._client = SessionClient(fetcher._client)


class _SessionRequest(FetchRequest):  # type: ignore[misc]
    """A fetch that names what changed, to a broker that has sessions, and everything to another."""

    def __init__(self, whole: FetchRequest, session: FetchSession, wanted: Wanted) -> None:
        changed, self._forgotten = session.changes(wanted)
        super().__init__(
            whole._max_wait_ms,
            whole._min_bytes,
            whole._max_bytes,
            whole._isolation_level,
            _by_topic({place: (place[1], *how) for place, how in changed.items()}),
            whole._rack_id,
        )
        self._whole = whole
        self._session_id, self._session_epoch = session.id, session.epoch

    def build(self, request_struct_class: type[FetchRequestStruct]) -> FetchRequestStruct:
        if request_struct_class.API_VERSION < _FIRST_VERSION_WITH_SESSIONS:
            return self._whole.build(request_struct_class)
        built: Any = super().build(request_struct_class)
        built.session_id, built.session_epoch = self._session_id, self._session_epoch
        built.forgotten_topics_data = _by_topic({place: place[1] for place in self._forgotten})
        return built


def _by_topic(found: dict[Place, Any]) -> list[tuple[str, list[Any]]]:
    topics: dict[str, list[Any]] = {}
    for (topic, _), what in found.items():
        topics.setdefault(topic, []).append(what)
    return list(topics.items())
