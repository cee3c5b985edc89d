"""What every fact is made from."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Fact(BaseModel):
    """What every fact shares: it cannot be changed, and unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_timedelta="iso8601")
    kind: ClassVar[str]
