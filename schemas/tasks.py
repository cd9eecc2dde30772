"""What the built-in tasks read and hand on: a row of a manifest file, and how far a manifest was read."""

import datetime as dt
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Code = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Z0-9]{2,3}$")]


class ManifestRow(BaseModel):
    """One flight of a carrier's manifest: who and what is on board."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    day: dt.date
    carrier: Code
    flight: int = Field(ge=1, le=9999)
    passengers: int = Field(ge=0, le=1000)
    baggage_kg: float = Field(ge=0, allow_inf_nan=False)
    remarks: str = Field(default="", max_length=500)


class Cursor(BaseModel):
    """How far a file has been read. `offset` is in bytes and stands at the beginning of a row."""

    model_config = ConfigDict(frozen=True)

    size_bytes: int = Field(ge=0)
    header: tuple[str, ...] = ()
    offset: int = Field(default=0, ge=0)
    line: int = Field(default=0, ge=0)
    chunk: int = Field(default=0, ge=0)
    rows: int = Field(default=0, ge=0)
    bad_rows: int = Field(default=0, ge=0)

    @property
    def at_end(self) -> bool:
        return self.offset >= self.size_bytes
