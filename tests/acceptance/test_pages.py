"""The pages in a real Chromium: on a phone and a desk, by day and by night, with script and without."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from events.gateway.edge import Edge
from events.gateway.metrics import GatewayMetrics
from schemas.command import Command
from tests.browsing import DESKTOP, PHONE, Look, chromium, looking, serving
from tests.example_jobs import BINARY, FAILED, LETTER, RETRYING, RUNNING, UGLY
from tests.example_pages import Example, ExampleSource, example

PAGES = {
    "overview": "/ui",
    "jobs": "/ui/jobs",
    "jobs-filtered": "/ui/jobs?task=send_email&state=failed",
    "jobs-wrong-filter": "/ui/jobs?since=yesterday",
    "job-failed": f"/ui/job?id={FAILED.job_id}",
    "job-running": f"/ui/job?id={RUNNING.job_id}",
    "job-retrying": f"/ui/job?id={RETRYING.job_id}&command=none",
    "job-workflow": "/ui/job?id=flow-1",
    "job-unknown": "/ui/job?id=none",
    "schedules": "/ui/schedules",
    "letters": "/ui/dead-letters",
    "letter": f"/ui/dead-letter?id={LETTER.id}",
    "letter-binary": f"/ui/dead-letter?id={BINARY.id}",
}
SIZES = {"phone": PHONE, "desk": DESKTOP}
GUIDELINES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Pages nobody needs a key for."""
    with serving(at_the_edge(example())) as url:
        yield url


def at_the_edge(shown: Example) -> Any:
    shown.app.add_middleware(Edge, max_body_bytes=1_000_000, metrics=GatewayMetrics())
    return shown.app


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_and_can_be_read_by_everybody(
    browser: Browser, url: str, name: str, size: str, scheme: str
) -> None:
    with looking(browser, size=SIZES[size], scheme=scheme) as look:
        look.page.goto(url + PAGES[name])
        look.picture(f"{name}-{size}-{scheme}")

        assert look.sideways <= 0
        assert wrong_by_the_guidelines(look) == []
        # A page that says 4xx says so in the console as well; nothing else may be there.
        assert [
            said for said in look.complaints if "the server responded with a status of 4" not in said
        ] == []


def unexpected(look: Look) -> list[str]:
    """What the console said; but a page that answers 4xx is told there as well."""
    return [said for said in look.complaints if "the server responded with a status of 4" not in said]


def wrong_by_the_guidelines(look: Look) -> list[str]:
    """What axe finds, with everything open that can be opened."""
    look.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    found = Axe().run(look.page, options={"runOnly": {"type": "tag", "values": GUIDELINES}})
    return [
        f"{each['id']}: {node['html'][:300]} {node.get('failureSummary', '')}"
        for each in found.response["violations"]
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_empty_cluster_and_an_ugly_job_fit_a_phone(browser: Browser, scheme: str) -> None:
    empty = ExampleSource(known=[UGLY], schedule_lines=[], letter_views={}, workers=[], behind_seconds=90)
    with (
        serving(at_the_edge(example(source=empty))) as url,
        looking(browser, size=PHONE, scheme=scheme) as look,
    ):
        for name in ("overview", "jobs", "schedules", "letters"):
            look.page.goto(url + PAGES[name])
            look.picture(f"{name}-empty-phone-{scheme}")
            assert look.sideways <= 0
        look.page.goto(f"{url}/ui/jobs")
        look.page.get_by_role("rowheader").get_by_role("link").click()
        look.picture(f"job-ugly-phone-{scheme}")
        assert look.sideways <= 0
        assert wrong_by_the_guidelines(look) == []
        assert look.page.title() != "taken"
        assert look.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_first_page_of_a_gateway_with_keys(browser: Browser, scheme: str) -> None:
    with (
        serving(at_the_edge(example(with_keys=True))) as url,
        looking(browser, size=PHONE, scheme=scheme) as look,
    ):
        look.page.goto(url)
        expect(look.page.get_by_label("API key")).to_be_focused()
        look.picture(f"sign-in-phone-{scheme}")
        assert look.sideways <= 0
        assert wrong_by_the_guidelines(look) == []
        assert unexpected(look) == []


@pytest.mark.parametrize("size", SIZES)
def test_sign_in_filter_and_cancel_without_script(browser: Browser, size: str) -> None:
    shown = example(with_keys=True)
    with serving(at_the_edge(shown)) as url, looking(browser, size=SIZES[size], script=False) as look:
        page = look.page
        page.goto(f"{url}/ui/jobs")
        expect(page).to_have_title("Sign in · Headrace")
        page.get_by_label("API key").fill("headrace_wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_have_text("This gateway does not know the key.")
        page.get_by_label("API key").fill(shown.operating)
        page.get_by_role("button", name="Sign in").click()

        expect(page).to_have_url(f"{url}/ui/jobs")
        page.get_by_text("Filter", exact=True).first.click()
        page.get_by_label("State").select_option("running")
        page.get_by_role("button", name="Filter").click()
        expect(page.get_by_role("rowheader")).to_have_count(1)
        page.get_by_role("link", name=RUNNING.job_id).click()

        page.get_by_text("Cancel", exact=True).click()
        page.get_by_label("Reason").fill("no longer wanted")
        page.get_by_role("button", name="Cancel job").click()
        expect(page.get_by_role("status")).to_have_text("The job is cancelled.")
        look.picture(f"job-cancelled-{size}")
        expect(page.locator("dl")).to_contain_text("no longer wanted")
        assert shown.commands.asked == [
            ("operating", Command.CANCEL, RUNNING.job_id, "no longer wanted", None)
        ]

        page.get_by_role("button", name="Sign out").click()
        page.goto(f"{url}/ui")
        expect(page).to_have_title("Sign in · Headrace")
        assert unexpected(look) == []


def test_the_first_key_leads_past_the_menu(browser: Browser, url: str) -> None:
    with looking(browser, size=DESKTOP) as look:
        look.page.goto(f"{url}/ui/jobs")
        look.page.keyboard.press("Tab")
        focused = look.page.locator(":focus")
        expect(focused).to_have_text("Skip to content")
        expect(focused).to_be_in_viewport()
        look.page.keyboard.press("Enter")
        expect(look.page.locator("main")).to_be_focused()


def test_a_job_can_be_printed(browser: Browser, url: str) -> None:
    with looking(browser, size=(800, 1100), scheme="dark") as look:
        look.page.goto(url + PAGES["job-failed"])
        look.page.emulate_media(media="print")
        look.picture("job-failed-print")

        expect(look.page.get_by_role("navigation", name="Pages", exact=True)).to_be_hidden()
        expect(look.page.get_by_role("button")).to_have_count(0)
        assert look.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert look.sideways <= 0
