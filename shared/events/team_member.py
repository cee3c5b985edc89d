"""Who reads what stands in the mailbox of a team (mobile local care) besides the organisation that keeps the team."""

from pydantic import BaseModel, ConfigDict, Field


class TeamMember(BaseModel):
    """A unit whose staff belong to the team."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    organisation: str = Field(description="organisation number the unit belongs to")
    unit: str = Field(description="HSA-id")
