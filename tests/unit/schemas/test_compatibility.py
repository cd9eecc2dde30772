from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field, create_model

from schemas.compatibility import incompatibilities


class Leg(BaseModel):
    origin: str
    next: "Leg | None" = None


def schema(**fields: Any) -> dict[str, Any]:
    """A schema of fields given as a type (required) or (type, default)."""
    definitions = {name: kind if isinstance(kind, tuple) else (kind, ...) for name, kind in fields.items()}
    model: type[BaseModel] = create_model("Data", **definitions)
    return model.model_json_schema()


OLD = schema(
    carrier=str,
    delay=(int | None, None),
    level=Literal["low", "high"],
    price=int,
    seats=(int, Field(ge=0, le=500)),
    tags=(list[int], []),
    counts=(dict[str, int], {}),
    leg=Leg,
    anything=(Any, None),
)


def changed(**fields: Any) -> list[str]:
    current: dict[str, Any] = {
        "carrier": str,
        "delay": (int | None, None),
        "level": Literal["low", "high"],
        "price": int,
        "seats": (int, Field(ge=0, le=500)),
        "tags": (list[int], []),
        "counts": (dict[str, int], {}),
        "leg": Leg,
        "anything": (Any, None),
    }
    current |= fields
    return incompatibilities(
        OLD, schema(**{name: kind for name, kind in current.items() if kind is not None})
    )


def test_nothing_changed() -> None:
    assert changed() == []


@pytest.mark.parametrize(
    "fields",
    [
        {"gate": (str | None, None)},
        {"carrier": (str, "UA")},
        {"carrier": str | int},
        {"price": float},
        {"level": Literal["low", "high", "higher"]},
        {"level": str},
        {"seats": int},
        {"seats": (int, Field(ge=-1, le=600))},
        {"tags": (list[float], [])},
        {"price": Any},
    ],
)
def test_more_may_be_said(fields: dict[str, Any]) -> None:
    assert changed(**fields) == []


class ShorterLeg(BaseModel):
    origin: str


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"carrier": None}, "data.carrier: removed"),
        ({"gate": str}, "data.gate: new and required"),
        ({"delay": int | None}, "data.delay: was optional, is required"),
        ({"delay": (int, 0)}, "data.delay: was null, is integer"),
        ({"carrier": int}, "data.carrier: was string, is integer"),
        ({"price": str}, "data.price: was integer, is string"),
        ({"anything": (int, 0)}, "data.anything: was anything, is integer"),
        ({"level": Literal["low"]}, "data.level: const was none, is low"),
        ({"level": Literal["low", "higher"]}, "data.level: no longer allows ['high']"),
        ({"carrier": Literal["UA", "AA"]}, "data.carrier: was any value, is one of ['UA', 'AA']"),
        ({"seats": (int, Field(ge=1, le=500))}, "data.seats: minimum was 0, is 1"),
        ({"seats": (int, Field(ge=0, le=400))}, "data.seats: maximum was 500, is 400"),
        ({"carrier": (str, Field(pattern="^UA$"))}, "data.carrier: pattern was none, is ^UA$"),
        ({"tags": (list[str], [])}, "data.tags[]: was integer, is string"),
        ({"counts": (dict[str, str], {})}, "data.counts.*: was integer, is string"),
        ({"leg": ShorterLeg}, "data.leg.next: removed"),
    ],
)
def test_nothing_may_be_taken_away(fields: dict[str, Any], reason: str) -> None:
    assert changed(**fields) == [reason]


def test_closing_an_open_object_is_narrower() -> None:
    open_object = {"type": "object", "properties": {}}
    assert incompatibilities(open_object, open_object | {"additionalProperties": False}) == [
        "data: unknown fields were allowed, are refused"
    ]
