"""What each page shows, without a browser."""

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser

import httpx2
import pytest

from events.gateway.pages.source import JobsPage
from schemas.job import JobState
from schemas.status import JobError
from tests.example_jobs import FAILED, RUNNING, SCRIPT, STEPS, UGLY, job
from tests.example_pages import Example, ExampleSource, example

EVERY_PAGE = [
    "/ui",
    "/ui/jobs",
    "/ui/jobs?state=failed&task=send_email",
    f"/ui/job?id={FAILED.job_id}",
    f"/ui/job?id={RUNNING.job_id}",
    "/ui/job?id=flow-1",
    "/ui/schedules",
    "/ui/dead-letters",
    "/ui/dead-letter?id=jobs:0:12",
    "/ui/dead-letter?id=flights:3:9",
]
_VOID = {"meta", "link", "input", "br", "img"}


class Outline(HTMLParser):
    """Checks nesting, and remembers tags and texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, text: str) -> None:
        self.text += text

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def shown() -> Example:
    return example()


@pytest.fixture
async def client(shown: Example) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=shown.app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


async def get(client: httpx2.AsyncClient, path: str, *, status: int = 200, **query: str) -> Outline:
    answer = await client.get(path, params=query or None)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return Outline(answer.text)


@pytest.mark.parametrize("path", EVERY_PAGE)
async def test_every_page_is_whole_and_nothing_from_outside_becomes_markup(
    client: httpx2.AsyncClient, path: str
) -> None:
    page = await get(client, path)

    assert page.all("script") == page.all("style") == []
    assert [
        attributes for _, attributes in page.tags if "style" in attributes or "onclick" in attributes
    ] == []
    assert len(page.all("h1")) == len(page.all("main")) == 1
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    labels = {each.get("for") for each in page.all("label")}
    fields = [each for each in page.all("input") + page.all("select") if each.get("type") != "hidden"]
    assert {each["id"] for each in fields} <= labels


async def test_a_page_says_that_nothing_may_run_in_it(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/ui")

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"


async def test_overview_counts_jobs_by_state_and_names_what_failed(client: httpx2.AsyncClient) -> None:
    page = await get(client, "/ui")

    assert re.search(r"\b1\s*failed", page.text)
    assert FAILED.job_id in page.text
    assert "worker-7f9c" in page.text
    assert "1,234,567" in page.text
    assert "announced by no worker" in page.text
    assert "has read the topics only up to" not in page.text


async def test_overview_says_when_it_is_old(client: httpx2.AsyncClient, shown: Example) -> None:
    shown.source.behind_seconds = 75.0
    assert "only up to 1 min 15 s ago" in (await get(client, "/ui")).text


async def test_pages_of_an_empty_cluster_say_what_to_do() -> None:
    empty = example(
        source=ExampleSource(known=[], schedule_lines=[], letter_views={}, workers=[], behind_seconds=0)
    )
    transport = httpx2.ASGITransport(app=empty.app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        overview = (await get(client, "/ui")).text
        assert "No worker has given a sign of life" in overview
        assert "No job that is still known has failed" in overview
        assert "No job is known yet" in (await get(client, "/ui/jobs")).text
        assert "No job passes this filter" in (await get(client, "/ui/jobs?state=failed")).text
        assert "No worker announces a schedule" in (await get(client, "/ui/schedules")).text
        assert "No dead letters." in (await get(client, "/ui/dead-letters")).text


async def test_filters_reach_the_source_and_stay_in_the_form(
    client: httpx2.AsyncClient, shown: Example
) -> None:
    page = await get(
        client, "/ui/jobs", task="send_email", state="failed", since="2026-03-01T14:30", event_id="e 1"
    )

    wanted = shown.source.asked[-1]
    assert (wanted.task, wanted.state, wanted.event_id) == ("send_email", JobState.FAILED, "e 1")
    assert wanted.since_ms == 1772375400000
    fields = {each["name"]: each.get("value") for each in page.all("input") if "name" in each}
    assert fields["since"] == "2026-03-01T14:30"
    assert [each["value"] for each in page.all("option") if "selected" in each] == ["failed"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("state", "nope"), ("since", "yesterday"), ("until", "0001-01-01"), ("since", "9" * 300)],
)
async def test_a_filter_that_cannot_be_read_says_which_field(
    client: httpx2.AsyncClient, shown: Example, name: str, value: str
) -> None:
    page = await get(client, "/ui/jobs", status=422, **{name: value})

    assert shown.source.asked == []
    wrong = [attributes for _, attributes in page.tags if attributes.get("aria-invalid") == "true"]
    assert [each["name"] for each in wrong] == [name]


async def test_lists_are_paged(client: httpx2.AsyncClient, shown: Example) -> None:
    shown.source.known = [job(f"job-{n}") for n in range(120)]

    first = await get(client, "/ui/jobs", task="send_email")
    older = next(each["href"] for each in first.all("a") if each.get("rel") == "next")
    assert older is not None
    second = await get(client, older)

    assert "job-49" in first.text
    assert "job-50" not in first.text
    assert "job-50" in second.text
    assert "Newest" in second.text


async def test_a_page_on_which_nothing_fitted_leads_on(client: httpx2.AsyncClient, shown: Example) -> None:
    async def nothing_yet(*_: object, **__: object) -> JobsPage:
        return JobsPage([], "50")

    shown.source.jobs = nothing_yet  # type: ignore[method-assign]
    page = await get(client, "/ui/jobs", event_id="e-1")

    assert "No job passes this filter among those looked at so far." in page.text
    assert [each["href"] for each in page.all("a") if each.get("rel") == "next"] == [
        "/ui/jobs?cursor=50&event_id=e-1"
    ]


async def test_a_job_tells_its_attempts_newest_first(client: httpx2.AsyncClient) -> None:
    page = await get(client, "/ui/job", id=FAILED.job_id)

    assert page.text.index("Attempt 3") < page.text.index("Attempt 1")
    assert SCRIPT in page.text  # as text: `Outline` found no such tag
    assert page.text.count("took 30.0 s") == 3
    assert any(each["href"] == "/ui/dead-letter?id=jobs%3A0%3A12" for each in page.all("a"))


async def test_an_ugly_job_stays_readable(client: httpx2.AsyncClient) -> None:
    page = await get(client, "/ui/job", id=UGLY.job_id)

    assert "only the beginning is shown" in page.text
    assert "<U+202E>gpj.<U+200B>exe" in page.text
    assert not set(page.text) & {"\x00", "\x1b", "\u202e", "\u200b"}
    ids = [each["value"] for each in page.all("input") if each.get("name") == "id"]
    assert ids == []  # it has ended well: nothing can be asked of it


async def test_an_error_of_any_length_is_bounded(client: httpx2.AsyncClient, shown: Example) -> None:
    endless = JobError(type="T" * 10_000, message="m" * 10_000, stack="s" * 100_000)
    shown.source.known = [job("long", state=JobState.EXPIRED, error=endless)]

    listed, told = await get(client, "/ui/jobs"), await get(client, "/ui/job", id="long")

    assert len(listed.text) < 3_000
    assert 2_000 < told.text.count("m") < 2_200
    assert told.text.count("s") < 21_000


async def test_what_can_be_asked_is_decided_by_the_state(client: httpx2.AsyncClient) -> None:
    async def forms(job_id: str) -> set[str | None]:
        page = await get(client, "/ui/job", id=job_id)
        return {each["action"] for each in page.all("form")}

    assert await forms(FAILED.job_id) == {"/ui/job/retry"}
    assert await forms(RUNNING.job_id) == {"/ui/job/cancel"}
    assert await forms("f0c9c1a2-0000-5000-8000-000000000000") == {
        "/ui/job/cancel", "/ui/job/retry", "/ui/job/reschedule",
    }  # fmt: skip


async def test_a_workflow_lists_its_steps_in_their_order(client: httpx2.AsyncClient) -> None:
    page = await get(client, "/ui/job", id=STEPS[0].job_id)

    steps = re.findall(r"step\s+([\d.]+)", page.text)
    assert steps == ["2", "0", *(f"1.{n}" for n in range(2, 12)), "2"][1:]


async def test_a_job_kafka_could_not_be_asked_about_says_so(
    client: httpx2.AsyncClient, shown: Example
) -> None:
    shown.source.is_current = False
    assert "Kafka could not be read up to now" in (await get(client, "/ui/job", id=RUNNING.job_id)).text


@pytest.mark.parametrize(
    ("path", "status"),
    [("/ui/job?id=none", 404), ("/ui/job", 422), ("/ui/dead-letter?id=x", 404), ("/ui/nowhere/at/all", 404)],
)
async def test_what_is_not_there_is_a_page_too(client: httpx2.AsyncClient, path: str, status: int) -> None:
    page = await get(client, path, status=status)
    assert any(str(each["href"]).startswith("/problems/") for each in page.all("a"))


async def test_letters_show_text_as_text_and_the_rest_as_hexadecimal(client: httpx2.AsyncClient) -> None:
    text = (await get(client, "/ui/dead-letter", id="jobs:0:12")).text
    binary = (await get(client, "/ui/dead-letter", id="flights:3:9")).text

    assert '"to": "<b>a@example.org</b>"' in text
    assert "00 ff 10" in text
    assert "000010  10 11 12" in binary
    assert "Binary, shown as hexadecimal, 2.0 kB; only the beginning is shown." in " ".join(binary.split())


async def test_files_have_the_name_of_their_content(client: httpx2.AsyncClient) -> None:
    page = await get(client, "/ui")
    sheet = next(each["href"] for each in page.all("link") if each["rel"] == "stylesheet")
    assert sheet is not None
    answer = await client.get(sheet)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize("path", ["/", "/ui/"])
async def test_the_bare_address_leads_to_the_pages(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui")
