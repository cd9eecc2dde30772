"""The docs page of every type of problem, for people and for programs."""

import html
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from events.gateway.problems import CATALOGUE, Kind, documented, problem

router = APIRouter(prefix="/problems", tags=["problems"])

_STYLE: Final = "/problems/style.css"
STYLE: Final = """\
:root { color-scheme: light dark; }
body { font: 1.05rem/1.6 system-ui, sans-serif; max-width: 42rem; margin: 2rem auto; padding: 0 1rem; }
code { font-size: 0.95em; } li { margin: 0.3rem 0; }
"""


class ProblemType(BaseModel):
    """One type of problem."""

    type: str
    title: str
    status: int
    explanation: str


class ProblemTypes(BaseModel):
    """Every type there is."""

    problems: list[ProblemType]


_HTML: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/html": {"schema": {"type": "string"}}}, "description": "A page, or JSON."}
}


@router.get("", operation_id="problem_types", summary="Every type of problem", response_model=ProblemTypes,
            responses={**_HTML})  # fmt: skip
async def every_problem(request: Request) -> ProblemTypes | Response:
    """As a page for browsers, else as JSON."""
    kinds = [_type(kind) for kind in CATALOGUE.values()]
    if not _wants_page(request):
        return ProblemTypes(problems=kinds)
    items = "".join(
        f'<li><a href="{each.type}">{html.escape(each.title)}</a> <small>{each.status}</small></li>'
        for each in kinds
    )
    return page("Problems", f"<ul>{items}</ul>")


@router.get("/style.css", include_in_schema=False)
async def style() -> Response:
    return Response(STYLE, media_type="text/css", headers={"Cache-Control": "max-age=86400"})


@router.get("/{slug}", operation_id="problem_type", summary="One type of problem", response_model=ProblemType,
            responses={**_HTML, **documented("not-found")})  # fmt: skip
async def one_problem(request: Request, slug: str) -> ProblemType | Response:
    """What it means and what to do."""
    kind = CATALOGUE.get(slug)
    if kind is None:
        raise problem("not-found", f"No problem is called {slug!r:.80}.")
    if not _wants_page(request):
        return _type(kind)
    text = html.escape(kind.explanation)
    return page(
        kind.title,
        f"<p>{_code(text)}</p><p>HTTP status {kind.status}, type <code>{kind.type}</code>.</p>"
        '<p><a href="/problems">Every problem</a></p>',
    )


def _type(kind: Kind) -> ProblemType:
    return ProblemType(type=kind.type, title=kind.title, status=kind.status, explanation=kind.explanation)


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _code(text: str) -> str:
    """Backticks as <code>."""
    parts = text.split("`")
    return "".join(f"<code>{part}</code>" if odd % 2 else part for odd, part in enumerate(parts))


def page(title: str, body: str) -> HTMLResponse:
    title = html.escape(title)
    return HTMLResponse(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title} · Headrace</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="stylesheet" href="{_STYLE}"></head><body><h1>{title}</h1>{body}</body></html>'
    )
