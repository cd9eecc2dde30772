"""The page of a daily report. What comes from outside is escaped; the picture is inside it."""

import base64
import datetime as dt
import functools
import io
from importlib import resources
from typing import Any, Final

import jinja2

from consumers.tasks.flight_counts import LATE_MINUTES, CarrierCount

_SHOWN_CARRIERS: Final = 30
_INK: Final = {"On time": "#4c72b0", "Late": "#dd8452", "Cancelled": "#8c8c8c"}


def page_of(day: dt.date, counts: list[CarrierCount]) -> str:
    """The whole HTML page."""
    picture = base64.b64encode(picture_of(day, counts)).decode()
    return _template().render(day=day, counts=counts, late_minutes=LATE_MINUTES, picture=picture)


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(resources.files(__package__).joinpath("report.html").read_text("utf-8"))


def picture_of(day: dt.date, counts: list[CarrierCount]) -> bytes:
    """A PNG: per carrier, the flights on time, late and cancelled. The same numbers give the same bytes."""
    # Imported here: 40 MB that a worker without reports does not need.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = sorted(counts, key=lambda count: count.departed + count.cancelled, reverse=True)[:_SHOWN_CARRIERS]
    figure = Figure(figsize=(9, 4), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)  # Agg draws into memory: no display, safe off the main thread
    _bars(figure.add_subplot(), day, shown)
    png = io.BytesIO()
    figure.savefig(png, format="png", metadata={"Software": None})
    return png.getvalue()


def _bars(axes: Any, day: dt.date, counts: list[CarrierCount]) -> None:
    # "$" would begin a formula.
    carriers = [count.carrier.replace("$", r"\$") for count in counts]
    heights = {
        "On time": [count.departed - count.late for count in counts],
        "Late": [count.late for count in counts],
        "Cancelled": [count.cancelled for count in counts],
    }
    bottom = [0] * len(counts)
    for label, height in heights.items():
        axes.bar(carriers, height, bottom=bottom, label=label, color=_INK[label])
        bottom = [low + high for low, high in zip(bottom, height, strict=True)]
    axes.set_title(f"Flights of {day.isoformat()}")
    axes.set_ylabel("flights")
    axes.legend()
