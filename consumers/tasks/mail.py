"""Send one mail to one address.

One address a job: with several, a server may take some and refuse others, and a repeat would reach the
first ones twice. The Message-ID comes from the job id, so that a repeat after a lost answer is recognised
as the same mail.
"""

from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any

import aiosmtplib

from consumers import Context, Fail, task
from consumers.tasks.equipment import equipment_of
from consumers.tasks.settings import TaskSettings

SIMULTANEOUS_MAILS = 20
"""Each mail has a connection of its own, and mail servers limit those per client."""


@task(name="send_email", timeout=60, max_jobs=SIMULTANEOUS_MAILS)
async def send_email(ctx: Context, to: str, subject: str, body: str) -> dict[str, Any]:
    """Send a plain-text mail. A refusal for good (5xx) fails the job, any other trouble is tried again."""
    settings = equipment_of(ctx).settings
    message = message_for(ctx.job_id, settings.sender, to=to, subject=subject, body=body)
    try:
        answer = await _deliver(message, settings)
    except (aiosmtplib.SMTPResponseException, aiosmtplib.SMTPRecipientsRefused) as error:
        if refused_for_good(error):
            raise Fail(f"the mail server refused the mail: {error}") from error
        raise
    except aiosmtplib.SMTPNotSupported as error:
        raise Fail(f"the mail server cannot take this mail: {error}") from error
    return {"message_id": message["Message-ID"], "answer": answer}


def message_for(job_id: str, sender: str, *, to: str, subject: str, body: str) -> EmailMessage:
    """The mail of a job, the same in every attempt. Raises Fail when no mail can be made of it."""
    message = EmailMessage()
    try:
        from_address = Address(addr_spec=sender)
        message["From"] = from_address
        message["To"] = Address(addr_spec=to)
        message["Subject"] = subject
    except (ValueError, IndexError, MessageError) as error:
        raise Fail(f"no mail can be made of this: {error}") from error
    message["Message-ID"] = f"<{_atom(job_id)}@{from_address.domain or 'localhost'}>"
    message.set_content(body)
    return message


async def _deliver(message: EmailMessage, settings: TaskSettings) -> str:
    password = settings.smtp_password.get_secret_value() if settings.smtp_password else None
    _, answer = await aiosmtplib.send(
        message,
        hostname=settings.smtp_host,
        port=settings.smtp_port,
        username=settings.smtp_username,
        password=password,
        use_tls=settings.smtp_tls,
        timeout=settings.smtp_timeout_seconds,
    )
    return answer


def refused_for_good(error: aiosmtplib.SMTPResponseException | aiosmtplib.SMTPRecipientsRefused) -> bool:
    """Whether the server's code says never (5xx) and not later (4xx), RFC 5321, 4.2.1."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return all(refusal.code >= 500 for refusal in error.recipients)
    return error.code >= 500


def _atom(job_id: str) -> str:
    """A job id given by a caller may hold anything; a Message-ID may not."""
    if job_id.isascii() and job_id.replace("-", "").isalnum():
        return job_id
    return job_id.encode().hex()
