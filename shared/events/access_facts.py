"""The fact that somebody read of patients in another service, for whoever reviews the access log."""

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.events.fact import Fact


class AccessLogged(Fact):
    """Somebody was shown something of some cases; planning keeps it in the one log that is reviewed, and adds who the patients are there.

    The member of staff who signed in is named, as the law asks of the log; what travels on the queue is sealed.
    """

    kind: ClassVar[str] = "access.logged"
    access_id: UUID = Field(description="the entry's id in the log of the service that it was read in")
    at: AwareDatetime
    action: str
    client: str
    organisation: str = Field(description="organisation number of whoever read")
    role: str
    unit: str | None = None
    units: tuple[str, ...] = Field(default=(), description="which units the client acts for, by the beginnings of their HSA-ids")
    user: str | None = Field(default=None, description="name of the person who had signed in; null: a system")
    cases: tuple[UUID, ...]
    request_id: str


ACCESS_FACTS: tuple[type[Fact], ...] = (AccessLogged,)
