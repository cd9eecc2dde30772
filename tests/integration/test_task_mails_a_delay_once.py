"""A flight leaves late, the event comes twice, the mail server says later at first: one mail arrives."""

import datetime as dt
from pathlib import Path

from schemas.flights import FlightDeparted
from tests.integration.task_worker import publish, task_worker
from tests.servers import mail_server
from tests.waiting import until

SCHEDULED = dt.datetime(2013, 1, 1, 10, tzinfo=dt.UTC)


def departed(flight: int, delay_minutes: int) -> FlightDeparted:
    return FlightDeparted(
        carrier="UA",
        flight=flight,
        tail_number="N14228",
        origin="EWR",
        dest="IAH",
        day=SCHEDULED.date(),
        scheduled_departure_at=SCHEDULED,
        departed_at=SCHEDULED + dt.timedelta(minutes=delay_minutes),
        departure_delay_minutes=delay_minutes,
    )


async def test_a_delay_is_mailed_once(broker: str, app_id: str, tmp_path: Path) -> None:
    source, desk = f"/{app_id}", f"desk-{app_id}@example.org"
    with mail_server() as mailbox:
        mailbox.answers = ["451 4.3.0 later", "drop"]
        settings = {"smtp_host": "127.0.0.1", "smtp_port": mailbox.port, "delay_desk": desk}
        async with task_worker(broker, app_id, tmp_path, **settings):
            late, early = departed(7001, 75), departed(7002, 10)
            # The last one is there to know that all before it were seen: events of one key stay in order.
            events = [("1", late), ("2", early), ("1", late), ("3", departed(7003, 61))]
            await publish(broker, *events, source=source)
            await until(lambda: any("7003" in mail["Subject"] for mail in mailbox.mails), within_seconds=60)
            await until(lambda: any("7001" in mail["Subject"] for mail in mailbox.mails), within_seconds=60)
    ours = [mail for mail in mailbox.mails if "UA 700" in mail["Subject"]]
    assert sorted(mail["Subject"] for mail in ours) == [
        "UA 7001 to IAH left 75 minutes late",
        "UA 7003 to IAH left 61 minutes late",
    ]
    assert {mail["To"] for mail in ours} == {desk}
    assert len({mail["Message-ID"] for mail in ours}) == 2
