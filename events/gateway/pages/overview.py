"""Everything at a glance."""

from typing import Final

from starlette.responses import Response

from events.gateway.pages.visit import HOME, Visit

SHOWN_ROWS: Final = 200
STALE_SECONDS: Final = 10.0


async def home(visit: Visit) -> Response:
    """Who types the bare address wants the pages."""
    return visit.go(HOME)


async def show(visit: Visit) -> Response:
    """Counts by state, tasks, workers, lag, and what failed last."""
    overview = await visit.source.overview()
    behind = overview.behind_seconds
    return visit.page(
        "overview.html",
        overview=overview,
        shown_rows=SHOWN_ROWS,
        stale_seconds=behind if behind is not None and behind > STALE_SECONDS else None,
    )
