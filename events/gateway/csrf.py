"""Is a request of a browser really of our own page? Programs send neither `Origin` nor cookies.

Browsers say where a request comes from (`Sec-Fetch-Site`, `Origin`); a form must carry the token of its
session as well.
"""

from typing import Final
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from events.gateway.problems import problem
from events.gateway.sessions import COOKIE, Sessions

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
FIELD: Final = "form_token"


def refuse_other_sites(request: HTTPConnection) -> None:
    """Raise a problem for a change asked for by another site's page."""
    if request.scope["method"] in SAFE_METHODS:
        return
    headers = request.headers
    site = headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        raise problem("cross-site", "The browser says that another site sent this.")
    origin = headers.get("origin")
    if origin is not None and not is_same_origin(origin, headers.get("host", "")):
        raise problem("cross-site", "The origin of the request is another host than this gateway.")


def is_same_origin(origin: str, host: str) -> bool:
    """Whether an `Origin` header is of the host a request was sent to."""
    try:
        return urlsplit(origin).netloc.lower() == host.lower() != ""
    except ValueError:
        return False


def check_form(request: HTTPConnection, sessions: Sessions, token: str | None) -> None:
    """Raise a problem for a form that is not of our own page in this session.

    Without a session (a gateway without keys) the origin alone decides.
    """
    refuse_other_sites(request)
    cookie = request.cookies.get(COOKIE)
    if cookie is not None and not sessions.is_form_token(cookie, token or ""):
        raise problem("cross-site", "The form has no valid token: load its page again.")
