"""One request for a page: who asks, what the form says, and what goes back."""

import datetime as dt
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from events.gateway import csrf
from events.gateway.access import Access
from events.gateway.keys import Caller, Scope
from events.gateway.pages.rendering import render
from events.gateway.pages.source import Asking, PageCommands, PageSource
from events.gateway.problems import Problem, problem
from events.gateway.sessions import COOKIE
from schemas.job import MAX_JOB_ID_CHARACTERS

HOME: Final = "/ui"
LOGIN: Final = "/login"
MAX_FORM_BYTES: Final = 64_000
_MAX_FIELDS: Final = 50
_MAX_ID_CHARACTERS: Final = 400

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
}


class Visit:
    """A page somebody looks at, or a form somebody sends."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.caller: Caller | None = None
        self.form: Mapping[str, str] = {}
        self.now = dt.datetime.now(dt.UTC)

    @property
    def access(self) -> Access:
        access: Access = self.request.app.state.access
        return access

    @property
    def source(self) -> PageSource:
        source: PageSource = self.request.app.state.page_source
        return source

    @property
    def commands(self) -> PageCommands:
        commands: PageCommands = self.request.app.state.page_commands
        return commands

    def asked(self, name: str) -> str:
        """A part of the query, empty where there is none."""
        return self.request.query_params.get(name, "").strip()

    def named(self, name: str, *, most: int = _MAX_ID_CHARACTERS) -> str:
        """What the query or the form must name. Raises a problem where it does not."""
        given = (self.form or self.request.query_params).get(name, "").strip()
        if not 0 < len(given) <= most:
            raise problem("invalid-request", f"{name}: wanted 1 to {most} characters")
        return given

    def job_id(self) -> str:
        return self.named("id", most=MAX_JOB_ID_CHARACTERS)

    def asking(self) -> Asking:
        """Who sends the form. Its key was made when it was shown: sent twice, it asks once."""
        assert self.caller is not None  # forms are for callers who may operate
        try:
            key = str(uuid.UUID(self.form.get("key", "")))
        except ValueError:
            key = str(uuid.uuid4())
        return Asking(self.request, self.caller, key)

    async def read_form(self) -> None:
        """Take the fields of a form of our own. Raises a problem for any other."""
        body = b""
        async for chunk in self.request.stream():
            body += chunk
            if len(body) > MAX_FORM_BYTES:
                raise problem("too-large", "The form is too large.", limit_bytes=MAX_FORM_BYTES)
        try:
            fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
        except ValueError:
            raise problem("invalid-request", "The body is no form.") from None
        self.form = dict(fields)
        csrf.check_form(self.request, self.access.sessions, self.form.get(csrf.FIELD))

    def link(self, path: str, **query: Any) -> str:
        """The address of one of our pages."""
        root = quote(self.request.scope.get("root_path", ""))
        given = {name: value for name, value in query.items() if value not in (None, "")}
        return root + path + (f"?{urlencode(given, errors='replace')}" if given else "")

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """The template, with what every page shows."""
        cookie = self.request.cookies.get(COOKIE)
        caller = self.caller
        content = render(
            template,
            link=self.link,
            path=self.request.url.path,
            now=self.now,
            who=caller,
            has_session=cookie is not None and caller is not None,
            may_operate=caller is not None and Scope.OPERATE in caller.scopes,
            form_field=csrf.FIELD,
            form_token=self.access.sessions.form_token(cookie) if cookie is not None else "",
            new_key=lambda: str(uuid.uuid4()),
            **values,
        )
        return Response(content, status, HEADERS, media_type="text/html; charset=utf-8")

    def go(self, path: str, **query: Any) -> Response:
        """Send the browser to another of our pages, by GET."""
        return RedirectResponse(self.link(path, **query), 303, HEADERS)

    def refuse(self, wrong: Problem) -> Response:
        """What a browser is told of a problem."""
        if wrong.slug == "not-authenticated":
            here = self.request.url
            was = f"{here.path}?{here.query}" if here.query else here.path
            return self.go(LOGIN, next=was if self.request.method == "GET" and was != HOME else None)
        response = self.page("problem.html", status=wrong.status, problem=wrong)
        response.headers.update(wrong.headers)
        return response


Show = Callable[[Visit], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


def page(show: Show, scope: Scope | None = Scope.READ) -> Endpoint:
    """What Starlette calls for a page: access, the form if it is one, and problems as pages."""

    async def endpoint(request: Request) -> Response:
        visit = Visit(request)
        try:
            if scope is not None:
                visit.caller = visit.access.check(request, scope)
            if request.method == "POST":
                await visit.read_form()
            return await show(visit)
        except Problem as wrong:
            return visit.refuse(wrong)

    return endpoint
