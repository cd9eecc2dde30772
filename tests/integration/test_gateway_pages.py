"""The pages over a real worker, as a person with a key and no script sees them."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Page, async_playwright, expect

from events.gateway.keys import Scope, new_key
from events.queue import JobQueue
from events.queue_options import EnqueueOptions
from events.settings import ClientSettings
from events.workflow import chain, signature
from tests.browsing import ARGUMENTS, SCREENSHOTS, chromium_path
from tests.integration.gateways import GatewayProcess
from tests.integration.observing import event, observing, publish, topic_of
from tests.waiting import until

MODULES = "tests.integration.modules.mendable,tests.integration.modules.scheduled"
SCHEDULES = '{"nightly": {"hour": 3, "minute": 0, "timezone": "Europe/Berlin"}}'


@asynccontextmanager
async def window() -> AsyncIterator[Page]:
    """A browser on a phone that runs no script."""
    path = chromium_path()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, headless=True, args=ARGUMENTS)
        context = await browser.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=False)
        page = await context.new_page()
        page.set_default_timeout(30_000)
        yield page
        await browser.close()


async def test_jobs_are_found_moved_cancelled_and_run_again(broker: str, app_id: str, tmp_path: Path) -> None:
    secret, key = new_key([Scope.READ, Scope.OPERATE], id="ops")
    mended = tmp_path / "mended"
    environment = {"MENDED": mended, "SCHEDULES": SCHEDULES, "HEADRACE_TASK_MODULES": MODULES}
    gateway = GatewayProcess(broker, app_id, tmp_path, {"HEADRACE_GATEWAY_API_KEYS": key.line})
    async with observing(broker, app_id, tmp_path, "mendable", **environment):
        await publish(broker, topic_of(app_id), event("mend.event", "e 1"))
        async with JobQueue(ClientSettings(bootstrap_servers=broker, app_id=app_id)) as queue:
            await queue.request("plain", {"what": "x"}, EnqueueOptions(job_id="later/1?&", defer_by=3_600))
            try:
                await gateway.start()
                async with window() as page:
                    await _sign_in(page, gateway.url, secret)
                    await _run_the_letter_again(page, gateway.url, mended)
                    await _move_and_cancel(page, gateway.url)
                    await _pause_the_schedule(page, gateway.url)
                    flow = await queue.enqueue(chain(signature("plain", what="a"), signature("plain")))
                    await _see_the_workflow(page, gateway.url, flow.job_id)
            finally:
                await gateway.stop()
    assert secret not in gateway.log()
    assert " 500 " not in gateway.log()


async def _sign_in(page: Page, url: str, secret: str) -> None:
    await page.goto(url)
    await page.get_by_label("API key").fill(secret)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page).to_have_title("Overview · Headrace")
    await until(lambda: _reads(page, "ready"), saying="the worker's sign of life is shown")


async def _run_the_letter_again(page: Page, url: str, mended: Path) -> None:
    async def failed() -> bool:
        await page.goto(f"{url}/ui/jobs?event_id=e+1&state=failed")
        return await page.get_by_role("rowheader").count() == 1

    await until(failed, within_seconds=60, saying="the job of the event has failed")
    await page.get_by_role("rowheader").get_by_role("link").click()
    await expect(page.get_by_role("heading", name=re.compile(r"Attempt \d"))).to_have_count(2)
    await expect(page.locator("main")).to_contain_text("ConnectionError: not mended")
    await _picture(page, "real-job-failed")
    await page.get_by_role("link", name="Its dead letter").click()
    await expect(page.get_by_role("region", name="Payload")).to_contain_text("{")
    await expect(page.get_by_role("table", name="Headers of the original record")).to_contain_text(
        "mend.event"
    )
    await _picture(page, "real-letter")

    mended.touch()
    await page.get_by_role("button", name="Run again").click()
    await expect(page.get_by_role("status")).to_have_text("The job runs again.")
    await page.locator("dl").get_by_role("link").last.click()
    await until(lambda: _reads(page, "completed"), within_seconds=60)
    await expect(page.get_by_role("region", name="Result")).to_have_text('"mended"')


async def _move_and_cancel(page: Page, url: str) -> None:
    await page.goto(f"{url}/ui/jobs?state=scheduled")
    await page.get_by_role("link", name="later/1?&").click()
    await page.get_by_text("Run at another time").click()
    await page.get_by_label("Run at (UTC)").fill("2030-01-02T03:04:05")
    await page.get_by_role("button", name="Move job").click()
    await expect(page.get_by_role("status")).to_have_text("The job was moved to 2030-01-02 03:04:05 UTC.")
    await expect(page.locator("dl")).to_contain_text("2030-01-02 03:04:05")
    await page.get_by_text("Cancel", exact=True).click()
    await page.get_by_label("Reason").fill("<b>nobody</b> wants it")
    await page.get_by_role("button", name="Cancel job").click()
    await expect(page.get_by_role("status")).to_have_text("The job is cancelled.")
    await until(lambda: _reads(page, "<b>nobody</b> wants it"))
    await _picture(page, "real-job-cancelled")


async def _pause_the_schedule(page: Page, url: str) -> None:
    await page.goto(f"{url}/ui/schedules")
    await page.get_by_role("button", name="Pause nightly").click()
    await expect(page.get_by_role("status")).to_have_text("The schedule is paused.")
    await until(lambda: _reads(page, "paused"))
    await _picture(page, "real-schedules")
    await page.get_by_role("button", name="Resume nightly").click()
    await expect(page.get_by_role("status")).to_have_text("The schedule goes on.")
    await page.goto(f"{url}/ui")
    await expect(page.get_by_role("table", name="How far topics are read")).to_be_visible()
    await _picture(page, "real-overview")


async def _see_the_workflow(page: Page, url: str, job_id: str) -> None:
    await page.goto(f"{url}/ui/job?id={job_id}")
    await until(lambda: _reads(page, "ended well"), within_seconds=60)
    await expect(page.get_by_role("list", name="Workflow").get_by_role("listitem")).to_have_count(2)
    await expect(page.get_by_role("region", name="Result")).to_have_text('"a"')
    await _picture(page, "real-workflow")


async def _reads(page: Page, text: str) -> bool:
    """Load the page again: does its body say this?"""
    await page.reload()
    return text in await page.locator("main").inner_text()


async def _picture(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
