import datetime as dt
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import BaseModel, Field, field_validator

from consumers import task
from consumers.errors import InvalidArguments
from consumers.registry import Registry, using


@pytest.fixture(autouse=True)
def _registry():
    with using(Registry()):
        yield


class Address(BaseModel):
    city: str

    @field_validator("city")
    @classmethod
    def _known(cls, value: str) -> str:
        if value == "secret":
            raise ValueError(f"unknown city {value}")
        return value


@pytest.fixture
def send():
    @task
    async def send(
        ctx,
        to: str,
        at: dt.datetime,
        address: Address,
        path: Path | None = None,
        copies: Annotated[int, Field(ge=1)] = 1,
        schema="any",
    ): ...

    return send


GIVEN = {"to": "a", "at": "2030-01-01T00:00:00Z", "address": {"city": "Oslo"}}


def test_arguments_become_what_the_function_expects(send):
    read = send.parse_args({**GIVEN, "copies": "2", "path": "/x"})
    assert read == {
        "to": "a",
        "at": dt.datetime(2030, 1, 1, tzinfo=dt.UTC),
        "address": Address(city="Oslo"),
        "path": Path("/x"),
        "copies": 2,
    }


def test_defaults_are_left_to_the_function(send):
    assert set(send.parse_args(GIVEN)) == {"to", "at", "address"}


def test_arguments_become_json_and_back(send):
    sent = send.dump_args(send.parse_args(GIVEN) | {"schema": [1]})
    assert sent == GIVEN | {"schema": [1]}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"to": 5}, "to: Input should be a valid string"),
        ({"copies": 0}, "copies: Input should be greater than or equal to 1"),
        ({"tos": "a"}, "tos: Extra inputs are not permitted"),
        ({"at": "secret"}, "at: "),
        ({"address": {"city": "secret"}}, "address.city: value_error"),
    ],
)
def test_what_does_not_fit_is_named_without_its_value(send, changed, said):
    with pytest.raises(InvalidArguments) as caught:
        send.parse_args({**GIVEN, **changed})
    assert said in str(caught.value)
    assert "'send'" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_at_most_five_problems_are_told():
    @task
    async def many(ctx, a: int, b: int, c: int, d: int, e: int, f: int, g: int): ...

    with pytest.raises(InvalidArguments, match="and 2 more"):
        many.parse_args({})


def test_what_is_no_json_cannot_be_sent():
    @task
    async def loose(ctx, thing): ...

    with pytest.raises(InvalidArguments, match="'loose'"):
        loose.dump_args({"thing": object()})


def test_a_function_with_any_keywords_takes_any():
    @task
    async def loose(ctx, a: int, **more): ...

    assert loose.parse_args({"a": "1", "b": 2}) == {"a": 1, "b": 2}


def test_a_task_on_events_takes_no_arguments():
    @task(on="a", topic="t")
    async def on_event(ctx, event): ...

    with pytest.raises(InvalidArguments, match="publish one instead"):
        on_event.dump_args({})
