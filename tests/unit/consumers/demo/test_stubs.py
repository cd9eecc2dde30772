"""The two servers, asked by real clients."""

import builtins
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import aiosmtplib
import httpx2
import pytest

from consumers.demo.airline_stub import RETRY_AFTER_SECONDS, AirlineStub
from consumers.demo.errors import DataMissing
from consumers.demo.mail_stub import MailStub
from consumers.demo.moods import Moods, one_in
from consumers.tasks.exchange import IDEMPOTENCY_KEY

ALWAYS = 1 - 1e-12


@pytest.fixture
def mail() -> Iterator[MailStub]:
    stub = MailStub(moods=Moods({}))
    stub.start()
    yield stub
    stub.stop()
    stub.stop()


@pytest.fixture
def airlines() -> Iterator[AirlineStub]:
    stub = AirlineStub(moods=Moods({}))
    stub.start()
    yield stub
    stub.stop()
    stub.stop()


async def send(stub: MailStub, message_id: str) -> str:
    message = EmailMessage()
    message["From"], message["To"], message["Message-ID"] = "a@localhost", "b@localhost", message_id
    _, answer = await aiosmtplib.send(message, hostname="127.0.0.1", port=stub.port)
    return answer


def first(chosen: bool, count: int) -> str:
    return next(text for text in (f"<{number}@x>" for number in range(1000)) if one_in(text, count) is chosen)


async def test_mail_is_taken_once_however_often_it_is_sent(mail: MailStub) -> None:
    fine = first(False, 60)
    await send(mail, fine)
    await send(mail, fine)
    assert mail.accepted == {fine}


async def test_spam_is_refused_for_good(mail: MailStub) -> None:
    with pytest.raises(aiosmtplib.SMTPDataError) as refused:
        await send(mail, first(True, 60))
    assert refused.value.code == 554
    assert not mail.accepted


@pytest.mark.parametrize(
    ("mood", "error"),
    [("busy", aiosmtplib.SMTPDataError), ("hangs_up", aiosmtplib.SMTPServerDisconnected)],
)
async def test_a_mail_server_in_a_mood_takes_nothing(
    mail: MailStub, mood: str, error: type[Exception]
) -> None:
    mail.moods = Moods({mood: ALWAYS})
    with pytest.raises(error):
        await send(mail, first(False, 60))
    assert not mail.accepted


def test_without_aiosmtpd_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("aiosmtpd"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DataMissing, match=r"pip install 'headrace\[demo\]'"):
        MailStub().start()


async def call(stub: AirlineStub, key: str) -> httpx2.Response:
    async with httpx2.AsyncClient() as client:
        url = stub.url.replace("{carrier}", "UA")
        return await client.post(url, json={}, headers={IDEMPOTENCY_KEY: key})


async def test_a_call_is_taken_once_however_often_it_comes(airlines: AirlineStub) -> None:
    fine = first(False, 40)
    assert (await call(airlines, fine)).status_code == 202
    assert (await call(airlines, fine)).status_code == 202
    assert airlines.accepted == {fine}


@pytest.mark.parametrize(("mood", "status"), [("overloaded", 503), ("patience", 429)])
async def test_a_busy_airline_answers_so(airlines: AirlineStub, mood: str, status: int) -> None:
    airlines.moods = Moods({mood: ALWAYS})
    answer = await call(airlines, first(False, 40))
    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == (str(RETRY_AFTER_SECONDS) if status == 429 else None)
    assert not airlines.accepted


async def test_a_stale_address_stays_so_and_a_gone_airline_hangs_up(airlines: AirlineStub) -> None:
    assert (await call(airlines, first(True, 40))).status_code == 410
    airlines.moods = Moods({"hangs_up": ALWAYS})
    with pytest.raises(httpx2.RemoteProtocolError):
        await call(airlines, first(False, 40))
    assert not airlines.accepted
