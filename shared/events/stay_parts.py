"""The parts that the fact of a stay is made of; pseudonymous like every fact."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

CareType = Literal["somatic", "psychiatric"]
Compulsory = Literal["none", "opt", "orv"]
Paper = Literal["none", "counted", "unconfirmed"]


class ReadyNotice(BaseModel):
    """One readiness of a stay: the N5 of one ready notice, and what became of it.

    `notice_sent_at` is when N5 was sent to *this municipality* (lag 2017:612 3 kap. 1 §); `ready_at` when the doctor judged so;
    `withdrawn_at` when the readiness was withdrawn, null while it stands; `withdrawn_at` is a time of happening.

    `paper` tells whether a time on paper (`given_on_paper_at`) moves it: `counted` = `notice_sent_at` is that time, because a recorded or
    confirmed outage explains it; `unconfirmed` = none does yet, so it counts as really sent and a person must decide.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    notice_sent_at: AwareDatetime
    ready_at: AwareDatetime
    withdrawn_at: AwareDatetime | None = None
    compulsory: Compulsory = "none"
    paper: Paper = "none"
    given_on_paper_at: AwareDatetime | None = None


class Transferred(BaseModel):
    """The patient was moved from one ward to another; the clock goes on."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    transferred_at: AwareDatetime
    from_ward: str
    to_ward: str


class OnLeave(BaseModel):
    """The patient was on leave from the ward; `ended_at` null while it lasts."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    started_at: AwareDatetime
    ended_at: AwareDatetime | None = None


class OutpatientBlock(BaseModel):
    """Outpatient care held the discharge up, as one unit stated (lag 2017:612 5 kap. 5 §); answered by its end."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    started_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    block: Literal["missing", "not_clarified"]
    stated_at: AwareDatetime
    stated_by: str = Field(description="HSA-id of the ward, care centre or municipal unit that stated it")
    contested: bool = Field(default=False, description="the region holds that nothing held the discharge up")


class Registered(BaseModel):
    """Where the patient was registered from an instant on; `since` null for as far back as is known."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    municipality: str | None = None
    since: AwareDatetime | None = None


class Placed(BaseModel):
    """A municipality placed the patient in another one by decision (lag 2017:612 5 kap. 2 §), as `stated_by` a municipality."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    municipality: str
    decision_date: date
    stated_at: AwareDatetime
    stated_by: str


class DeclinedStated(BaseModel):
    """The patient declined measures, as one unit stated; `withdrawn`: the statement was a mistake, and the patient declined nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    decline_id: UUID = Field(description="as in `case.declined`")
    measures: tuple[Literal["municipal_social", "municipal_health", "outpatient"], ...]
    declined_at: AwareDatetime
    stated_at: AwareDatetime
    stated_by: str = Field(description="HSA-id of the unit that told it")
    municipality: str | None = Field(default=None, description="SCB code, when a municipality stated it")
    withdrawn: bool = False


class OtherMunicipality(BaseModel):
    """The notices to a municipality of the stay that is not the one told as liable: registered before or after a move, or placing."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    municipality: str
    admission_notice_sent_at: AwareDatetime
    ready: tuple[ReadyNotice, ...] = ()
    admission_notice_paper: Paper = "none"
