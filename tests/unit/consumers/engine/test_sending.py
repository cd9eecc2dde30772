import pytest

from consumers.engine.sending import Sending
from consumers.errors import OutputFailed
from consumers.outputs import JobRequest, Output
from events.queue_options import EnqueueOptions
from schemas.cloudevent import CloudEvent


class Outbox:
    def __init__(self):
        self.checked, self.sent = [], []

    async def check(self, topic):
        self.checked.append(topic)

    async def send(self, *record, partition=None):
        self.sent.append(record)


def event(**more):
    return Output(
        "t", b"k", CloudEvent(**{"id": "1", "source": "/s", "type": "a.b", "data": {"x": 1}, **more})
    )


def request(args, **options):
    return Output(None, None, JobRequest("other", args, EnqueueOptions(**options), "job-1"))


async def test_only_topics_a_handler_named_are_checked():
    outbox = Outbox()
    await Sending(outbox=outbox, app_id="A").check([event(), request({})])
    assert outbox.checked == ["t"]


async def test_events_and_requests_go_out_in_their_order():
    outbox = Outbox()
    await Sending(outbox=outbox, app_id="A").send([event(), request({"n": 1}, priority="high")])
    first, second = outbox.sent
    assert first[:3] == ("t", b"k", b'{"x":1}')
    assert dict(first[3])["ce_type"] == b"a.b"
    assert second[0] == "A.jobs.high"
    assert b'"job_id":"job-1"' in second[2]


@pytest.mark.parametrize("output", [event(data={"x": object()}), request({"x": object()})])
async def test_what_json_cannot_hold_is_refused(output):
    outbox = Outbox()
    with pytest.raises(OutputFailed, match="JSON"):
        await Sending(outbox=outbox, app_id="A").send([output])
    assert outbox.sent == []
