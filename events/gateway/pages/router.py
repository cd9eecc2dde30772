"""Where the pages are. None of them is part of the API: addresses below `/ui` may change."""

from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from events.gateway.keys import Scope
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


def page_routes() -> list[BaseRoute]:
    """Every route of the pages."""
    return [
        Route("/", page(overview.home, None), methods=["GET"]),
        *(Route(path, page(show), methods=["GET"]) for path, show in _PAGES),
        *(Route(path, page(ask, Scope.OPERATE), methods=["POST"]) for path, ask in _FORMS),
        Route("/login", page(entry.show, None), methods=["GET"]),
        Route("/login", page(entry.sign_in, None), methods=["POST"]),
        Route("/logout", page(entry.sign_out, None), methods=["POST"]),
        *(Route(asset.path, _file, methods=["GET"]) for asset in assets().values()),
        Route("/ui/{path:path}", page(_nowhere, None), methods=["GET"]),
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
