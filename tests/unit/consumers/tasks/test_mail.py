from pathlib import Path

import aiosmtplib
import pytest

from consumers import Fail
from consumers.tasks.mail import message_for, send_email
from tests.servers import Mailbox, free_port, mail_server
from tests.unit.consumers.tasks.equipped import equipped


async def send(
    data_dir: Path, mailbox: Mailbox, to: str = "a@example.org", job_id: str = "job-1"
) -> dict[str, object]:
    settings = {"smtp_host": "127.0.0.1", "smtp_port": mailbox.port, "sender": "flights@example.org"}
    ctx = equipped(data_dir, settings=settings, job_id=job_id)
    return await send_email(ctx, to=to, subject="Späte Ankunft", body="Grüße\n")


async def test_a_mail_arrives(tmp_path: Path) -> None:
    with mail_server() as mailbox:
        sent = await send(tmp_path, mailbox)
    [mail] = mailbox.mails
    assert sent["message_id"] == mail["Message-ID"] == "<job-1@example.org>"
    assert (mail["From"], mail["To"]) == ("flights@example.org", "a@example.org")
    payload = mail.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode().splitlines() == ["Grüße"]


async def test_a_repeat_is_recognised_by_its_message_id(tmp_path: Path) -> None:
    with mail_server() as mailbox:
        for job_id in ("one", "one", "two"):
            await send(tmp_path, mailbox, job_id=job_id)
    assert [mail["Message-ID"][1:4] for mail in mailbox.mails] == ["one", "one", "two"]


@pytest.mark.parametrize(
    ("to", "answers"), [("nobody@example.org", []), ("a@example.org", ["554 5.7.1 spam"])]
)
async def test_a_refusal_for_good_fails(tmp_path: Path, to: str, answers: list[str]) -> None:
    with mail_server() as mailbox:
        mailbox.answers = answers
        with pytest.raises(Fail, match="refused"):
            await send(tmp_path, mailbox, to)
    assert mailbox.mails == []


@pytest.mark.parametrize(
    ("to", "answers"),
    [("full@example.org", []), ("a@example.org", ["451 4.3.0 later"]), ("a@example.org", ["drop"])],
)
async def test_a_refusal_for_now_is_left_to_the_retry_policy(
    tmp_path: Path, to: str, answers: list[str]
) -> None:
    with mail_server() as mailbox:
        mailbox.answers = answers
        with pytest.raises(aiosmtplib.SMTPException):
            await send(tmp_path, mailbox, to)
        if to != "full@example.org":
            await send(tmp_path, mailbox, to)
            assert len(mailbox.mails) == 1


async def test_no_server_is_left_to_the_retry_policy(tmp_path: Path) -> None:
    with pytest.raises(aiosmtplib.SMTPConnectError):
        await send(tmp_path, Mailbox(port=free_port()))


@pytest.mark.parametrize(
    ("to", "subject"),
    [
        ("", "x"),
        ("no address", "x"),
        ("a@b@c", "x"),
        ("a@example.org\nBcc: b@example.org", "x"),
        ("a@b", "x\ny: z"),
    ],
)
def test_what_cannot_be_a_mail_fails(to: str, subject: str) -> None:
    with pytest.raises(Fail):
        message_for("1", "sender@example.org", to=to, subject=subject, body="")


def test_any_job_id_makes_a_message_id() -> None:
    ids = {
        message_for(job_id, "sender@example.org", to="a@example.org", subject="x", body="")["Message-ID"]
        for job_id in ("a b", "a>b", "ä", "welcome-17", "\r\n")
    }
    assert len(ids) == 5
    assert all(
        message_id.isascii() and message_id.isprintable() and " " not in message_id for message_id in ids
    )
