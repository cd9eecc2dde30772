import pytest

from consumers import Context, task
from consumers.errors import InvalidArguments
from consumers.registry import Registry, using
from events.workflow import chain, group, signature
from events.workflow_requests import workflow_request

with using(Registry()):

    @task(priority="high")
    async def upload(ctx: Context, bucket: str, data: list[int], public: bool = False) -> None: ...


def test_a_step_is_a_task_with_some_of_its_arguments():
    assert upload.s("b").as_json() == {"task": "upload", "args": {"bucket": "b"}, "priority": "high"}
    assert upload.s(public=True).as_json()["args"] == {"public": True}
    assert upload.si("b", [1]).as_json()["alone"] is True


@pytest.mark.parametrize(
    "step",
    [lambda: upload.s(size=1), lambda: upload.s([1]), lambda: upload.si("b"), lambda: upload.s(1, bucket=2)],
)
def test_arguments_are_checked_when_it_is_written(step):
    with pytest.raises(InvalidArguments):
        step()


def test_the_result_goes_to_the_first_parameter_that_is_free():
    assert upload.with_input({"bucket": "b"}, [1]) == {"bucket": "b", "data": [1]}
    assert upload.with_input({"data": [1]}, "b") == {"data": [1], "bucket": "b"}
    assert upload.with_input({"bucket": "b", "data": []}, True)["public"] is True
    with pytest.raises(InvalidArguments, match=r"task\.si"):
        upload.with_input({"bucket": "b", "data": [], "public": False}, 1)


def test_options_of_a_step_travel_with_it():
    step = signature("a").options(defer_by=1.5, deadline=60, headers={"x": "y"}, priority="low")
    assert step.as_json() == {
        "task": "a",
        "defer_ms": 1500,
        "deadline_ms": 60000,
        "headers": {"x": "y"},
        "priority": "low",
    }


@pytest.mark.parametrize(
    "wrong",
    [
        chain,
        lambda: chain("a"),
        lambda: group(upload),
        lambda: signature("a").options(job_id="x"),
        lambda: chain(signature("a")).options(defer_by=1),
        lambda: chain(chain(signature("a")).options(job_id="x")),
        lambda: chain(signature("a")).on_failure(chain(signature("b"))),
        lambda: signature("a", x=object()),
    ],
)
def test_what_cannot_be_a_workflow_is_refused(wrong):
    with pytest.raises(ValueError, match=r"step|options|workflow|called back|JSON|signature"):
        wrong()


def test_callbacks_are_part_of_the_node():
    flow = chain(signature("a")).on_success(signature("s")).on_failure(signature("f"), signature("g"))
    assert flow.as_json()["on"] == {"success": [{"task": "s"}], "failure": [{"task": "f"}, {"task": "g"}]}


def test_a_workflow_begins_with_one_request_for_its_last_job():
    flow = chain(signature("a"), group(signature("b")))
    request = workflow_request(flow.options(job_id="mine"))
    assert (request.job_id, request.root, request.task) == ("mine", "mine", "headrace.gather")
    equal = [workflow_request(flow.options(idempotency_key=[1])).job_id for _ in range(2)]
    assert equal[0] == equal[1]
    assert workflow_request(flow).job_id != workflow_request(flow).job_id
    assert workflow_request(flow, id="given", parent="p").parent == "p"
    assert workflow_request(signature("z")).workflow["node"] == {"chain": [{"task": "z"}]}
