"""Where the pages are. None of them is part of the API: addresses below `/ui` may change."""

from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from events.gateway.keys import Scope as KeyScope
from events.gateway.pages import entry, job, jobs, letters, overview, schedules
from events.gateway.pages.rendering import assets
from events.gateway.pages.source import PageCommands, PageSource
from events.gateway.pages.visit import Show, page
from events.gateway.problems import problem

_YEAR_SECONDS: Final = 365 * 86_400

_PAGES: Final[tuple[tuple[str, Show], ...]] = (
    ("/ui", overview.show),
    ("/ui/jobs", jobs.show),
    ("/ui/job", job.show),
    ("/ui/schedules", schedules.show),
    ("/ui/dead-letters", letters.show_all),
    ("/ui/dead-letter", letters.show),
)
_FORMS: Final[tuple[tuple[str, Show], ...]] = (
    ("/ui/job/cancel", job.cancel),
    ("/ui/job/retry", job.retry),
    ("/ui/job/reschedule", job.reschedule),
    ("/ui/schedules/pause", schedules.pause),
    ("/ui/schedules/resume", schedules.resume),
    ("/ui/schedules/run", schedules.run_now),
    ("/ui/dead-letter/redrive", letters.redrive),
)


class PageRoute(Route):
    """A route that says in the scope which it is, as those of the API do: metrics are told by route."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        return match, {**child, "route": self}


def page_routes() -> list[BaseRoute]:
    """Every route of the pages."""
    return [
        *(PageRoute(path, page(overview.home, None), methods=["GET"]) for path in ("/", "/ui/")),
        *(PageRoute(path, page(show), methods=["GET"]) for path, show in _PAGES),
        *(PageRoute(path, page(ask, KeyScope.OPERATE), methods=["POST"]) for path, ask in _FORMS),
        PageRoute("/login", page(entry.show, None), methods=["GET"]),
        PageRoute("/login", page(entry.sign_in, None), methods=["POST"]),
        PageRoute("/logout", page(entry.sign_out, None), methods=["POST"]),
        *(PageRoute(asset.path, _file, methods=["GET"]) for asset in assets().values()),
        PageRoute("/ui/{path:path}", page(_nowhere, None), methods=["GET"]),
    ]


def add_pages(app: Starlette, source: PageSource, commands: PageCommands) -> None:
    """Add the pages to an application whose state has `access`."""
    app.state.page_source = source
    app.state.page_commands = commands
    app.router.routes.extend(page_routes())


async def _file(request: Request) -> Response:
    asset = next(asset for asset in assets().values() if request.url.path.endswith(asset.path))
    headers = {
        "Cache-Control": f"public, max-age={_YEAR_SECONDS}, immutable",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(asset.content, headers=headers, media_type=asset.media_type)


async def _nowhere(_visit: object) -> Response:
    raise problem("not-found", "There is no such page.")
