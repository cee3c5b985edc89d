"""What billing needs to know of one stay: no person, no free text, only times and what the liability hangs on."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.planning.domain.case import CaseState, CaseStatus, OutpatientBlock, ReadyPeriod
from services.planning.domain.events import (
    BlockEnd,
    BlockKind,
    BlockStart,
    CareType,
    CaseEvent,
    Compulsory,
    Declination,
    Need,
    Placement,
    Transfer,
    ward_of,
)
from services.planning.domain.notices import ready_notice_counts_from, told_on_paper
from services.planning.domain.outages import NOT_ON_PAPER, PaperMark
from services.planning.domain.parties import MUNICIPAL, Party, Recipient
from services.planning.domain.persons import placed_by
from shared.identifiers import provider_of


@dataclass(frozen=True, slots=True)
class ReadySnapshot:
    """One readiness as told to the municipality: when its ready notice (N5) was sent to it, and when it was withdrawn, if it was.

    `paper` and `given_on_paper_at`: whether a time on paper moves it, and which.
    """

    notice_sent_at: datetime
    ready_at: datetime
    withdrawn_at: datetime | None
    compulsory: Compulsory
    paper: PaperMark = "none"
    given_on_paper_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TransferSnapshot:
    """The patient was moved from one ward to another."""

    transferred_at: datetime
    from_ward: str
    to_ward: str


@dataclass(frozen=True, slots=True)
class LeaveSnapshot:
    """The patient was on leave from the ward."""

    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class BlockSnapshot:
    """Outpatient care held the discharge up, as a unit stated; answered by its end, `contested` when the region denies it."""

    started_at: datetime
    ended_at: datetime | None
    block: BlockKind
    stated_at: datetime
    stated_by: str
    contested: bool


@dataclass(frozen=True, slots=True)
class ResidenceSnapshot:
    """Where the patient was registered from an instant on; none for as far back as is known."""

    municipality: str | None
    since: datetime | None


@dataclass(frozen=True, slots=True)
class PlacementSnapshot:
    """A municipality that placed the patient in another one by decision, as a municipality states it."""

    municipality: str
    decision_date: date
    stated_at: datetime
    stated_by: str


@dataclass(frozen=True, slots=True)
class DeclinedSnapshot:
    """The patient declined measures, as somebody stated; `withdrawn` when that was a mistake."""

    decline_id: UUID
    measures: tuple[Need, ...]
    declined_at: datetime
    stated_at: datetime
    stated_by: str
    municipality: str | None
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class OtherSnapshot:
    """The notices to a municipality of the stay that is not the one told as liable."""

    municipality: str
    admission_notice_sent_at: datetime
    ready: tuple[ReadySnapshot, ...]
    admission_notice_paper: PaperMark = "none"


@dataclass(frozen=True, slots=True)
class StaySnapshot:
    """The whole of one stay as billing needs it; the fields of the fact `stay.changed` besides case id and version."""

    provider: str
    ward: str
    care_type: CareType
    admitted_at: datetime | None
    municipality: str | None
    need_judged_at: datetime | None
    admission_notice_sent_at: datetime | None
    ready: tuple[ReadySnapshot, ...]
    sip_required: bool
    discharged_at: datetime | None
    deceased_at: datetime | None
    cancelled: bool
    findings: tuple[str, ...]
    last_sign_of_life_at: datetime | None
    transfers: tuple[TransferSnapshot, ...]
    leaves: tuple[LeaveSnapshot, ...]
    outpatient_blocks: tuple[BlockSnapshot, ...]
    residences: tuple[ResidenceSnapshot, ...]
    placements: tuple[PlacementSnapshot, ...]
    municipal_needs: tuple[Need, ...]
    other_municipalities: tuple[OtherSnapshot, ...]
    admission_notice_paper: PaperMark
    admission_notice_given_on_paper_at: datetime | None
    declined: tuple[DeclinedSnapshot, ...]
    sip_contested: bool


def stay_facts(state: CaseState) -> StaySnapshot | None:
    """What billing is told of a case; nothing while no admission is known, because nobody could be liable.

    The municipality is, when municipal measures are needed, the one that placed the patient, else the registered one; after a real move
    the one at the ready notice. Where it cannot be notified (not in the directory) its
    admission notice is missing, which excludes the stay, and a ready notice counts as sent when the ward sent it.

    Source:
        Lag (2017:612) 5 kap. 2-3 §§.
    """
    about, admission = state.about, state.admission
    if about is None or admission is None or state.ward is None:
        return None
    municipality = None if MUNICIPAL.isdisjoint(about.needs) else _liable(state)
    told = {party.recipient: party for party in state.parties}
    party = None if municipality is None else told.get(Recipient("municipality", municipality))
    paper = NOT_ON_PAPER if party is None else party.paper
    return StaySnapshot(
        provider=provider_of(state.ward),
        ward=state.ward,
        care_type=about.care_type,
        admitted_at=admission.time,
        municipality=municipality,
        need_judged_at=max(admission.time, about.judged_at or admission.time),
        admission_notice_sent_at=None if party is None else party.counts_from,
        ready=tuple(_ready(state.ready, party, admission)),
        sip_required=state.sip_required,
        discharged_at=None if state.discharge is None else state.discharge.time,
        deceased_at=None if state.death is None else state.death.time,
        cancelled=state.status is CaseStatus.CANCELLED,
        findings=tuple(sorted({finding.code.value for finding in state.findings})),
        last_sign_of_life_at=state.last_sign_of_life_at,
        transfers=tuple(
            TransferSnapshot(event.time, ward_of(event.key.source), event.data.to_unit)
            for event in state.transfers
            if isinstance(event.data, Transfer)
        ),
        leaves=tuple(LeaveSnapshot(leave.start.time, None if leave.end is None else leave.end.time) for leave in state.leaves),
        outpatient_blocks=tuple(_block(block) for block in state.blocks),
        residences=tuple(ResidenceSnapshot(one.municipality, one.since) for one in state.residences),
        placements=tuple(
            PlacementSnapshot(event.data.municipality, event.data.decision_date, event.sent_at, event.data.stated_by)
            for event in state.placements
            if isinstance(event.data, Placement)
        ),
        municipal_needs=tuple(sorted(MUNICIPAL & about.needs)),
        other_municipalities=tuple(
            OtherSnapshot(recipient.code, other.counts_from, tuple(_ready(state.ready, other, admission)), other.paper.mark)
            for recipient, other in sorted(told.items())
            if recipient.kind == "municipality" and recipient.code != municipality
        ),
        admission_notice_paper=paper.mark,
        admission_notice_given_on_paper_at=paper.given_at,
        declined=tuple(
            DeclinedSnapshot(
                one.event.data.id,
                tuple(sorted(one.event.data.measures)),
                one.event.time,
                one.event.sent_at,
                ward_of(one.event.key.source),
                one.event.data.municipality,
                one.withdrawn,
            )
            for one in state.declined
            if isinstance(one.event.data, Declination)
        ),
        sip_contested=state.sip_contested,
    )


def _liable(state: CaseState) -> str | None:
    """Who pays if anybody does: the placing municipality when nobody disputes it, else where the patient was registered at N5."""
    placed = placed_by(state.placements)
    if placed is not None:
        return placed.municipality
    standing = [period.counts_from for period in state.ready if period.withdrawal is None]
    at_ready = [one.municipality for one in state.residences if not standing or one.since is None or one.since <= standing[-1]]
    return at_ready[-1] if at_ready else None


def _block(block: OutpatientBlock) -> BlockSnapshot:
    end = block.end
    return BlockSnapshot(
        started_at=block.start.time,
        ended_at=None if end is None else end.time,
        block=block.start.data.kind if isinstance(block.start.data, BlockStart) else "not_clarified",
        stated_at=block.start.sent_at,
        stated_by=ward_of(block.start.key.source),
        contested=end is not None and isinstance(end.data, BlockEnd) and end.data.contested,
    )


def _ready(periods: tuple[ReadyPeriod, ...], party: Party | None, admission: CaseEvent) -> list[ReadySnapshot]:
    """Every readiness that the municipality was told of, in the order it happened."""
    told = []
    for period in periods:
        standing = period
        if party is not None and not told_on_paper(party, period.sent_at, admission):
            standing = period._replace(paper=NOT_ON_PAPER)  # the paper was given to somebody else
        sent_at = standing.counts_from if party is None else ready_notice_counts_from(standing, party.counts_from)
        if sent_at is not None:
            paper = standing.paper
            told.append(
                ReadySnapshot(sent_at, period.ready_at, period.withdrawn_at, period.judgement.compulsory, paper.mark, paper.given_at)
            )
    return told
