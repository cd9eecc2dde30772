"""Sessions of the pages: a cookie that names a key and says until when, signed.

It holds no key. A key taken out of the settings ends its sessions.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Final

COOKIE: Final = "headrace_session"


class Sessions:
    """Signs and reads cookies. Without a `secret` they end with the process."""

    def __init__(self, secret: bytes | None, *, lifetime_seconds: int, clock: Callable[[], float]) -> None:
        self._secret = secret or secrets.token_bytes(32)
        self._clock = clock
        self.lifetime_seconds = lifetime_seconds

    def sign(self, key_id: str) -> str:
        """The cookie of somebody who has just shown the key."""
        until = int(self._clock()) + self.lifetime_seconds
        head = f"{key_id}|{until}|{secrets.token_hex(8)}"
        return f"{_text(head.encode())}.{_text(self._mac('session', head))}"

    def key_id(self, cookie: str) -> str | None:
        """The key a cookie stands for; None for one that is forged or over."""
        head = self._head(cookie)
        if head is None:
            return None
        key_id, until, _ = head.split("|")
        return key_id if int(until) > self._clock() else None

    def form_token(self, cookie: str) -> str:
        """What a form must carry to be taken as one of ours in this session."""
        return _text(self._mac("form", cookie))

    def is_form_token(self, cookie: str, token: str) -> bool:
        return hmac.compare_digest(self.form_token(cookie).encode(), token.encode())

    def _head(self, cookie: str) -> str | None:
        body, _, mac = cookie.partition(".")
        try:
            head = _bytes(body).decode()
            given = _bytes(mac)
        except ValueError:
            return None
        return head if hmac.compare_digest(self._mac("session", head), given) else None

    def _mac(self, purpose: str, text: str) -> bytes:
        return hmac.new(self._secret, f"{purpose}|{text}".encode(), hashlib.sha256).digest()


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
