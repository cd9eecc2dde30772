"""Who may see pages and send forms, and what a form asks for."""

import re
from collections.abc import AsyncIterator

import httpx2
import pytest

from events.gateway.problems import problem
from schemas.command import Command
from tests.example_jobs import RETRYING, RUNNING
from tests.example_pages import Example, example

FORM = {"origin": "http://localhost"}


@pytest.fixture
def shown() -> Example:
    return example(with_keys=True)


@pytest.fixture
async def client(shown: Example) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=shown.app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


async def sign_in(client: httpx2.AsyncClient, key: str, following: str = "") -> httpx2.Response:
    return await client.post("/login", data={"key": key, "next": following}, headers=FORM)


async def form_on(client: httpx2.AsyncClient, page: str) -> dict[str, str]:
    """The hidden fields of the first form of a command."""
    text = (await client.get(page)).text
    action = text[text.index('action="/ui/') :]
    fields = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', action)
    return dict(fields[:3])


async def test_without_a_session_a_page_leads_to_the_login_and_back(
    client: httpx2.AsyncClient, shown: Example
) -> None:
    asked = await client.get("/ui/job?id=reindex-17")
    assert asked.status_code == 303
    assert asked.headers["location"] == "/login?next=%2Fui%2Fjob%3Fid%3Dreindex-17"

    login = await client.get(asked.headers["location"])
    assert 'value="/ui/job?id=reindex-17"' in login.text
    signed = await sign_in(client, shown.reading, "/ui/job?id=reindex-17")

    assert signed.headers["location"] == "/ui/job?id=reindex-17"
    cookie = signed.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert shown.reading.lower() not in cookie
    assert (await client.get("/ui/job?id=reindex-17")).status_code == 200


@pytest.mark.parametrize(
    "following", ["//evil.example", "https://evil.example/ui", "/\\evil.example", "/ui\\..", "/jobs", "/uix"]
)  # fmt: skip
async def test_signing_in_leads_nowhere_else(
    client: httpx2.AsyncClient, shown: Example, following: str
) -> None:
    assert (await sign_in(client, shown.reading, following)).headers["location"] == "/ui"


async def test_behind_a_proxy_with_tls_the_cookie_stays_there(
    client: httpx2.AsyncClient, shown: Example
) -> None:
    signed = await client.post(
        "/login", data={"key": shown.reading}, headers=FORM | {"x-forwarded-proto": "https"}
    )
    assert "secure" in signed.headers["set-cookie"].lower()


async def test_a_wrong_key_is_told_and_guessing_ends(client: httpx2.AsyncClient) -> None:
    answers = [await sign_in(client, "headrace_guess") for _ in range(4)]

    assert [each.status_code for each in answers] == [401, 401, 401, 429]
    assert "does not know the key" in answers[0].text
    assert all("headrace_guess" not in each.text and "set-cookie" not in each.headers for each in answers)


async def test_signing_out_ends_the_session(client: httpx2.AsyncClient, shown: Example) -> None:
    await sign_in(client, shown.reading)
    token = shown.access.sessions.form_token(client.cookies["headrace_session"])

    assert (await client.post("/logout", data={"form_token": token}, headers=FORM)).status_code == 303
    assert (await client.get("/ui")).status_code == 303


async def test_a_job_is_cancelled_from_its_page_once(client: httpx2.AsyncClient, shown: Example) -> None:
    await sign_in(client, shown.operating)
    page = f"/ui/job?id={RUNNING.job_id}"
    form = await form_on(client, page) | {"reason": "  no longer wanted "}

    sent = [await client.post("/ui/job/cancel", data=form, headers=FORM) for _ in range(2)]

    assert {each.headers["location"] for each in sent} == {f"{page}&command={form['key']}"}
    assert shown.commands.asked[0] == ("operating", Command.CANCEL, "reindex-17", "no longer wanted", None)
    answer = await client.get(sent[0].headers["location"])
    assert "The job is cancelled." in answer.text
    assert "no longer wanted" in answer.text


async def test_a_job_is_moved_in_utc(client: httpx2.AsyncClient, shown: Example) -> None:
    await sign_in(client, shown.operating)
    form = await form_on(client, f"/ui/job?id={RETRYING.job_id}")

    wrong = await client.post("/ui/job/reschedule", data=form | {"run_at": "soon"}, headers=FORM)
    await client.post("/ui/job/reschedule", data=form | {"run_at": "2027-01-02T03:04"}, headers=FORM)

    assert wrong.status_code == 422
    [(_, command, _, _, due)] = shown.commands.asked
    assert (command, due.isoformat()) == (Command.RESCHEDULE, "2027-01-02T03:04:00+00:00")


@pytest.mark.parametrize(
    ("path", "page", "expected"),
    [
        ("/ui/schedules/pause", "/ui/schedules", (Command.PAUSE_SCHEDULE, "nightly")),
        ("/ui/schedules/run", "/ui/schedules", (Command.RUN_SCHEDULE, "nightly")),
        ("/ui/schedules/resume", "/ui/schedules", (Command.RESUME_SCHEDULE, "nightly")),
        ("/ui/dead-letter/redrive", "/ui/dead-letter?id=jobs:0:12", (Command.REDRIVE, "jobs:0:12")),
    ],
)
async def test_schedules_and_letters_are_asked_for_too(
    client: httpx2.AsyncClient, shown: Example, path: str, page: str, expected: tuple[object, ...]
) -> None:
    await sign_in(client, shown.operating)
    form = await form_on(client, page) | {"name": "nightly"}

    sent = await client.post(path, data=form, headers=FORM)

    assert sent.status_code == 303
    assert shown.commands.asked == [("operating", *expected)]


async def test_an_answer_of_no_is_shown_not_thrown(client: httpx2.AsyncClient, shown: Example) -> None:
    await sign_in(client, shown.operating)
    page = f"/ui/job?id={RUNNING.job_id}"
    form = await form_on(client, page)
    shown.commands.refusal = problem("already-finished", "It has ended.", command_id="c-1")
    shown.source.answers["c-1"] = {"answer": "already_finished", "job_state": "completed"}

    sent = await client.post("/ui/job/cancel", data=form, headers=FORM)

    shown_page = await client.get(sent.headers["location"])
    assert "Nothing was done: the job had already ended, as completed." in shown_page.text


async def test_kafka_away_is_a_page(client: httpx2.AsyncClient, shown: Example) -> None:
    await sign_in(client, shown.operating)
    form = await form_on(client, f"/ui/job?id={RUNNING.job_id}")
    shown.commands.refusal = problem("kafka-unavailable", "No connection.", retry_after=2)

    sent = await client.post("/ui/job/cancel", data=form, headers=FORM)

    assert (sent.status_code, sent.headers["retry-after"]) == (503, "2")
    assert "Kafka does not answer" in sent.text


async def test_a_key_that_may_only_look_gets_no_forms_and_no_way_around(
    client: httpx2.AsyncClient, shown: Example
) -> None:
    await sign_in(client, shown.reading)
    page = await client.get(f"/ui/job?id={RUNNING.job_id}")
    token = shown.access.sessions.form_token(client.cookies["headrace_session"])

    sent = await client.post("/ui/job/cancel", data={"id": RUNNING.job_id, "form_token": token}, headers=FORM)

    assert "/ui/job/cancel" not in page.text
    assert "it may look, not change" in page.text
    assert sent.status_code == 403
    assert shown.commands.asked == []


@pytest.mark.parametrize(
    ("change", "headers"),
    [
        ({"form_token": "guess"}, FORM),
        ({"form_token": ""}, FORM),
        ({}, {"origin": "http://evil.example"}),
        ({}, {"sec-fetch-site": "cross-site"}),
    ],
)
async def test_another_sites_form_asks_for_nothing(
    client: httpx2.AsyncClient, shown: Example, change: dict[str, str], headers: dict[str, str]
) -> None:
    await sign_in(client, shown.operating)
    form = await form_on(client, f"/ui/job?id={RUNNING.job_id}")

    sent = await client.post("/ui/job/cancel", data=form | change, headers=headers)

    assert sent.status_code == 403
    assert shown.commands.asked == []


async def test_a_form_of_any_size_is_not_taken(client: httpx2.AsyncClient, shown: Example) -> None:
    await sign_in(client, shown.operating)
    sent = await client.post("/ui/job/cancel", data={"reason": "x" * 70_000}, headers=FORM)
    assert sent.status_code == 413


async def test_without_keys_the_pages_are_open_to_this_machine() -> None:
    transport = httpx2.ASGITransport(app=example().app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        assert (await client.get("/ui")).status_code == 200
        assert "has no keys" in (await client.get("/login")).text
    async with httpx2.AsyncClient(transport=transport, base_url="http://rebound.example") as client:
        assert (await client.get("/ui")).status_code == 403
