import base64
import csv
import datetime as dt
import io
import re
from pathlib import Path

from PIL import Image

from consumers.tasks.equipment import equipment_of
from consumers.tasks.flight_counts import CarrierCount
from consumers.tasks.flight_facts import FlightFact
from consumers.tasks.report import table_of, write_report
from consumers.tasks.report_page import page_of, picture_of
from tests.unit.consumers.tasks.equipped import equipped

DAY = dt.date(2013, 1, 1)
COUNTS = [
    CarrierCount(
        "AA", departed=32, arrived=31, cancelled=2, late=8, delay_minutes=400, worst_delay_minutes=90
    ),
    CarrierCount("UA", departed=45, arrived=45, late=5, delay_minutes=333, worst_delay_minutes=61),
]


async def test_a_day_becomes_a_table_and_a_page(tmp_path: Path) -> None:
    ctx = equipped(tmp_path)
    facts = equipment_of(ctx).facts
    await facts.record(FlightFact("/flights", "1", DAY, "UA", "departed", 20))
    await facts.record(FlightFact("/flights", "2", DAY, "UA", "cancelled"))

    written = write_report(ctx, day=DAY)

    assert written == {
        "csv": str(tmp_path / "reports" / "2013-01-01.csv"),
        "html": str(tmp_path / "reports" / "2013-01-01.html"),
        "departed": 1,
        "arrived": 0,
        "cancelled": 1,
    }
    [row] = csv.DictReader(io.StringIO(Path(written["csv"]).read_text()))
    assert (row["carrier"], row["departed"], row["late"], row["mean_delay_minutes"]) == (
        "UA",
        "1",
        "1",
        "20.0",
    )
    first = Path(written["html"]).read_bytes()
    assert b"<td>UA</td>" in first

    await facts.record(FlightFact("/flights", "1", DAY, "UA", "departed", 20))
    write_report(ctx, day=DAY)
    assert Path(written["html"]).read_bytes() == first
    assert len(list((tmp_path / "reports").iterdir())) == 2


def test_the_page_holds_its_picture() -> None:
    found = re.search(r"data:image/png;base64,([A-Za-z0-9+/=]+)", page_of(DAY, COUNTS))
    assert found
    with Image.open(io.BytesIO(base64.b64decode(found[1]))) as picture:
        assert (picture.format, picture.size) == ("PNG", (900, 400))
        colours = picture.convert("RGB").getcolors(1 << 20)
    assert colours
    assert {(0x4C, 0x72, 0xB0), (0xDD, 0x84, 0x52), (0x8C, 0x8C, 0x8C)} <= {colour for _, colour in colours}


def test_the_same_numbers_give_the_same_page() -> None:
    assert page_of(DAY, COUNTS) == page_of(DAY, COUNTS)
    assert picture_of(DAY, COUNTS) != picture_of(DAY, COUNTS[:1])


def test_what_comes_from_outside_stays_text() -> None:
    counts = [
        CarrierCount(carrier, departed=1) for carrier in ("<script>alert(1)</script>", "=1+1", "$x^", "é")
    ]
    page = page_of(DAY, counts)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "\n'=1+1,1," in table_of(counts)


def test_a_day_without_flights() -> None:
    assert "No flight of this day is known" in page_of(DAY, [])
    assert table_of([]).count("\n") == 1
