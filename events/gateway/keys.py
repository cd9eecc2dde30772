"""API keys: what they look like, how they are stored, and which one somebody presents.

A key is 256 random bits, so its SHA-256 gives nothing away and needs no salt. A stored line is
`id:scope+scope:sha256`.
"""

import enum
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from events.errors import InvalidSettings
from events.gateway.settings import GatewaySettings

_PREFIX: Final = "headrace"
_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class Scope(enum.StrEnum):
    """What a key may do; none includes another."""

    READ = "read"
    SUBMIT = "submit"
    OPERATE = "operate"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    id: str
    scopes: frozenset[Scope]


ANONYMOUS: Final = Caller("anonymous", frozenset(Scope))


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is stored."""

    id: str
    scopes: frozenset[Scope]
    digest: bytes

    @classmethod
    def parse(cls, line: str) -> "ApiKey":
        """Raises ValueError saying which part is wrong; never repeats the digest."""
        parts = line.strip().split(":")
        if len(parts) != 3:
            raise ValueError("wanted id:scope+scope:sha256")
        id, scopes, digest = parts
        if not _ID.fullmatch(id) or id == ANONYMOUS.id:
            raise ValueError(f"{id[:64]!r} is no id: 1 to 64 of letters, digits, '.', '_' and '-'")
        if not _DIGEST.fullmatch(digest):
            raise ValueError(f"key {id}: its hash is no SHA-256 in 64 small hexadecimal digits")
        try:
            wanted = frozenset(Scope(scope) for scope in scopes.split("+"))
        except ValueError as error:
            known = ", ".join(Scope)
            raise ValueError(f"key {id}: {error}; scopes are {known}, joined by '+'") from None
        return cls(id, wanted, bytes.fromhex(digest))

    @property
    def line(self) -> str:
        return f"{self.id}:{'+'.join(sorted(self.scopes))}:{self.digest.hex()}"


def new_key(scopes: Iterable[Scope], *, id: str | None = None) -> tuple[str, ApiKey]:
    """(the key to hand out once, what to store)."""
    key_id = id or secrets.token_hex(4)
    secret = f"{_PREFIX}_{secrets.token_urlsafe(32)}"
    return secret, ApiKey.parse(ApiKey(key_id, frozenset(scopes), _digest(secret)).line)


class KeyRing:
    """Every key the gateway knows."""

    def __init__(self, keys: Iterable[ApiKey] = ()) -> None:
        self._keys = tuple(keys)
        self._by_id = {key.id: key for key in self._keys}

    def __bool__(self) -> bool:
        return bool(self._keys)

    def caller(self, presented: str) -> Caller | None:
        """Who presents this key. Takes as long for a near miss as for a hit."""
        digest = _digest(presented)
        found: ApiKey | None = None
        for key in self._keys:
            if hmac.compare_digest(key.digest, digest):
                found = key
        return None if found is None else Caller(found.id, found.scopes)

    def by_id(self, id: str) -> Caller | None:
        """The holder of a key that signed in earlier, if the key still exists."""
        key = self._by_id.get(id)
        return None if key is None else Caller(key.id, key.scopes)


def load_keys(settings: GatewaySettings) -> KeyRing:
    """The keys of the settings and their file. Raises InvalidSettings."""
    lines = [("HEADRACE_GATEWAY_API_KEYS", line) for line in settings.gateway_api_keys]
    if (path := settings.gateway_api_keys_file) is not None:
        lines += [(str(path), line) for line in _lines(path)]
    keys: dict[str, ApiKey] = {}
    for origin, line in lines:
        try:
            key = ApiKey.parse(line)
        except ValueError as error:
            raise InvalidSettings(f"{origin}: {error}") from None
        if key.id in keys:
            raise InvalidSettings(f"{origin}: key {key.id} is there twice")
        keys[key.id] = key
    if settings.has_keys and not keys:
        raise InvalidSettings(
            f"{settings.gateway_api_keys_file}: holds no key, so nobody could do anything. "
            "`headrace gateway keys new` makes one."
        )
    return KeyRing(keys.values())


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSettings(f"HEADRACE_GATEWAY_API_KEYS_FILE={path}: cannot be read ({error})") from None
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="surrogateescape")).digest()
