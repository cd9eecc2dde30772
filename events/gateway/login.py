"""Signing in to the pages with an API key. The session is a signed cookie no script can read."""

from typing import Final
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from events.gateway import csrf
from events.gateway.access import Access
from events.gateway.problem_pages import page
from events.gateway.sessions import COOKIE

router = APIRouter(include_in_schema=False)

FORM: Final = "application/x-www-form-urlencoded"
_LARGEST: Final = 4_096


@router.get("/login")
async def show() -> HTMLResponse:
    return _form()


@router.post("/login")
async def sign_in(request: Request) -> Response:
    """Take a key, give a cookie."""
    csrf.refuse_other_sites(request)
    access: Access = request.app.state.access
    fields = await form_of(request)
    caller = access.by_key(request, fields.get("key", "").strip())
    if caller is None:
        return _form("The key is not known.", status=401)
    answer = RedirectResponse("/", status_code=303)
    answer.set_cookie(
        COOKIE,
        access.sessions.sign(caller.id),
        max_age=access.sessions.lifetime_seconds,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
        path="/",
    )
    return answer


@router.post("/logout")
async def sign_out(request: Request) -> Response:
    csrf.refuse_other_sites(request)
    answer = RedirectResponse("/login", status_code=303)
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return answer


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form, the first of each name."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        return {}
    body = (await request.body())[:_LARGEST]
    fields = parse_qs(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=50)
    return {name: values[0] for name, values in fields.items()}


def _form(message: str = "", *, status: int = 200) -> HTMLResponse:
    said = f'<p role="alert">{message}</p>' if message else ""
    answer = page(
        "Sign in",
        f'{said}<form method="post" action="/login"><label for="key">API key</label> '
        '<input id="key" name="key" type="password" autocomplete="current-password" required autofocus> '
        "<button>Sign in</button></form>",
    )
    answer.status_code = status
    return answer
