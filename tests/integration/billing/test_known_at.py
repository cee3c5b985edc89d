"""As known then: whatever happened afterwards, a month asked for as of an instant is what was answered at that instant."""

from collections.abc import Awaitable, Callable
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest

from services.billing.agreements import agreement_files
from services.billing.domain.closing import CalculationName, MonthAction
from services.billing.domain.disputing import DisputeOutcome, DisputeReason
from services.billing.domain.identity import canonical_json
from services.billing.domain.persons import Actor
from services.billing.domain.reasons import Reason, ReviewOutcome
from services.billing.domain.verifying import verify
from services.billing.repository.months import MonthRow
from services.billing.settings import Settings
from services.billing.usecases.agreements import approve_agreement, propose_agreement
from services.billing.usecases.closing import ClosingTerms, Item, SilenceTerms, act
from services.billing.usecases.disputes import Contested, Ruling, decide_dispute, open_dispute
from services.billing.usecases.explaining import explanation_of
from services.billing.usecases.gathering import gather_one
from services.billing.usecases.reading import month_of, months_of
from services.billing.usecases.reviews import Verdict, decide_reviews
from services.billing.usecases.rules import rules_now
from services.billing.usecases.statuses import Report, Status, report
from services.billing.usecases.tariffs import approve_tariff, propose_tariff
from shared.dates import Month, format_instant, local_date, now
from shared.db import Work
from shared.errors import BusinessError
from shared.events.facts import MeasuresDeclined, PlanConsentChanged, StayChanged
from shared.identifiers import uuid7
from shared.money import Money
from tests.integration.billing.parts import Billing, a_notice, a_stay_fact, an_invitation, apply, local

MARCH, APRIL = Month(2026, 3), Month(2026, 4)
START = datetime(2026, 3, 30, 8, tzinfo=UTC)
CODES = ("1480", "1481")
PREPARER, APPROVER, DEBTOR = Actor("controller", "Cecilia"), Actor("approver", "Attestant"), Actor("kommun", "Kim")


class Story:
    """Random things that happen to a few stays and their months, one transaction each, later and later."""

    def __init__(self, billing: Billing, random: Random) -> None:
        self.billing = billing
        self.random = random
        self.at = START
        self.stays: list[StayChanged] = []
        self.disputes: list[UUID] = []
        self.terms = ClosingTerms(SilenceTerms(timedelta(0), timedelta(days=7)), Settings.model_construct().issuing)
        self.done = 0

    async def one_more(self) -> None:
        """Let something happen; what is refused has not happened."""
        self.at += timedelta(minutes=self.random.choice((0, 1, 60, 60 * 24, 60 * 24 * 3)))
        happenings = (self.arrives, self.changes, self.told_beside, self.priced, self.reviewed, self.disputed, self.ruled, self.paid)
        happening: Callable[[Work], Awaitable[None]] = self.random.choice((*happenings, *(self.stepped,) * 24))
        try:
            async with self.billing.database.transaction(self.at) as work:
                await happening(work)
                self.done += 1
        except BusinessError:
            pass

    async def begins(self) -> None:
        """A price, and stays that cost something, so that a month can come to its invoice."""
        self.stays += [a_stay_fact(days, municipality=code) for days in (2, 6, 8, 12) for code in CODES]
        async with self.billing.database.transaction(self.at) as work:
            await self.priced(work)
            await apply(work, self.stays)

    async def arrives(self, work: Work) -> None:
        waited = self.random.choice((0, 2, 3, 5, 7, 8, 12))
        stay = a_stay_fact(
            waited,
            discharged=f"2026-{self.random.choice(('03-20', '03-29', '04-03'))}T11:00",
            municipality=self.random.choice(CODES),
            sip_required=self.random.random() < 0.4,
            late_notice=self.random.random() < 0.1,
        )
        self.stays.append(stay)
        await apply(work, [stay])

    async def changes(self, work: Work) -> None:
        if not self.stays:
            return
        index = self.random.randrange(len(self.stays))
        stay = self.stays[index]
        changed: dict[str, Any] = self.random.choice(
            (
                {"cancelled": not stay.cancelled},
                {"municipality": self.random.choice(CODES)},
                {"discharged_at": None},
                {"discharged_at": local(f"2026-0{self.random.choice((3, 4))}-2{self.random.randrange(9)}T10:00")},
            )
        )
        self.stays[index] = stay.model_copy(update={"case_version": stay.case_version + 1, **changed})
        await apply(work, [self.stays[index]])

    async def told_beside(self, work: Work) -> None:
        if not self.stays:
            return
        case = self.random.choice(self.stays).case_id
        facts = (
            an_invitation(case, "2026-03-10T09:00", (f"municipality:{self.random.choice(CODES)}",)),
            PlanConsentChanged(plan_id=uuid7(), case_id=case, consent="refused", changed_at=local("2026-03-09T09:00")),
            MeasuresDeclined(
                decline_id=uuid7(),
                case_id=case,
                unit="SE2321000131-E000000000101",
                measures=("municipal_social",),
                declined_at=local("2026-03-09T10:00"),
                recorded_at=work.at,
            ),
        )
        await apply(work, [self.random.choice(facts)])

    async def priced(self, work: Work) -> None:
        row = await propose_tariff(work, MARCH.first, date(2026, 12, 31), Money.of_kronor(12000), "Made up", PREPARER)
        await approve_tariff(work, row.id, APPROVER)

    async def reviewed(self, work: Work) -> None:
        """Everything that waits for a person in some month, or one stay that may not even be held."""
        view = await month_of(work, self.random.choice(CODES), self.random.choice((MARCH, APRIL)), None)
        held = [(UUID(line["case"]), Reason(line["reasons"][0]["reason"])) for line in view.calculation["lines"] if line["reasons"]]
        found = [(finding.stay, Reason.LATE_ADMISSION_NOTICE) for finding in view.findings if finding.stay is not None]
        verdicts = [Verdict(case, reason, self.random.choice(list(ReviewOutcome))) for case, reason in {*held, *found}]
        await decide_reviews(work, verdicts, "Seen", APPROVER)

    async def disputed(self, work: Work) -> None:
        stay = self.random.choice(self.stays) if self.stays else a_stay_fact(3)
        contested = Contested(
            stay.municipality or "", self.random.choice((MARCH, APRIL)), stay.case_id, None, DisputeReason.OTHER, "Not ours"
        )
        self.disputes.append((await open_dispute(work, contested, DEBTOR)).id)

    async def ruled(self, work: Work) -> None:
        if self.disputes:
            outcome = self.random.choice((DisputeOutcome.UPHELD, DisputeOutcome.REJECTED))
            await decide_dispute(work, self.random.choice(self.disputes), Ruling(outcome, None, "Decided"), Actor("other", "Olle"))

    async def paid(self, work: Work) -> None:
        """The oldest document of some month, half of it or all that is left."""
        issued = (await month_of(work, self.random.choice(CODES), MARCH, None)).documents
        for document in issued[:1]:
            amount = self.random.choice((document.amount, Money(document.amount.ore // 2)))
            told = Report(Status.PAID, amount, local_date(work.at), str(uuid7()), None)
            await report(work, document.number, told, Actor("finance", "Fatima"))

    async def stepped(self, work: Work) -> None:
        """The next step of some month, most of the time on its way forward."""
        month, code = self.random.choice((MARCH, MARCH, MARCH, APRIL)), self.random.choice(CODES)
        view = await month_of(work, code, month, None)
        row = view.row
        onward = {
            "open": (MonthAction.PREPARE, PREPARER),
            "prepared": (MonthAction.PUBLISH, PREPARER),
            "published": (MonthAction.SIGN, DEBTOR),
            "accepted": (MonthAction.APPROVE, APPROVER),
            "approved": (MonthAction.ISSUE, APPROVER),
        }
        action, actor = onward.get(row.state.value, (MonthAction.PREPARE, PREPARER))
        if view.outdated:
            action, actor = MonthAction.PREPARE, PREPARER
        named = None if action is MonthAction.PREPARE else CalculationName(row.version or 0, row.sha256 or "")
        (outcome,) = await act(work, month, action, [Item(code, named)], actor, None if named is None else self.terms)
        if outcome.error is not None:
            raise outcome.error
        if action is MonthAction.PUBLISH and outcome.row is not None and self.random.random() < 0.5:
            await apply(work, [a_notice(str(month), outcome.row.sha256 or "", self.at, code, outcome.row.version or 1)])


async def told(billing: Billing, at: datetime, known_at: datetime | None = None) -> dict[str, Any]:
    """Everything that is answered about the months, in a transaction of that instant."""
    found: dict[str, Any] = {}
    async with billing.database.transaction(at) as work:
        for month in (MARCH, APRIL):
            for standing in await months_of(work, month, None, known_at):
                found[f"{month} {standing.debtor.municipality} standing"] = (standing.row, standing.outdated)
            for code in CODES:
                view = await month_of(work, code, month, code, known_at)
                found |= {f"{month} {code} {one.name}": getattr(view, one.name) for one in fields(view)}
                explained = await explanation_of(work, code, month, None, known_at)
                assert verify(canonical_json(explained)) is None
                found |= {f"{month} {code} explained {name}": explained[name] for name in explained if name not in {"known_at", "sha256"}}
    return found


def without_old_notice(value: Any) -> Any:
    """When the notice of a publication arrived is kept with the publication that stands, and is not known of one that was replaced."""
    if isinstance(value, tuple) and value and isinstance(value[0], MonthRow):
        return (without_old_notice(value[0]), *value[1:])
    return replace(value, notice_mailbox=None, notice_entered_at=None) if isinstance(value, MonthRow) else value


@pytest.mark.parametrize("seed", range(3))
async def test_what_was_answered_at_an_instant_is_answered_ever_after(billing: Billing, seed: int) -> None:
    story = Story(billing, Random(seed))
    answered: dict[datetime, dict[str, Any]] = {}
    await story.begins()
    for _ in range(35):
        await story.one_more()
        answered[story.at] = await told(billing, story.at)
    assert story.done > 12
    later = story.at + timedelta(days=400)
    states = set()
    for at, then in answered.items():
        again = await told(billing, later, at)
        assert again.keys() == then.keys()
        for name, value in then.items():
            assert without_old_notice(again[name]) == without_old_notice(value), (name, at)
        states |= {value.state for name, value in then.items() if name.endswith(" row")}
    assert states & {"issued", "settled"}
    assert await told(billing, later, START - timedelta(days=1)) != answered[story.at]


async def test_a_month_as_known_before_its_correction_still_shows_the_first_invoice(billing: Billing) -> None:
    await billing.price()
    stays = [a_stay_fact(days) for days in (2, 5, 6, 7)]
    await billing.tell(*stays)
    assert (await billing.close_month()).status_code == 200
    path = "/v1/months/2026-03/1480"
    first = (await billing.get(path, billing.controller())).json()
    known_at = format_instant(now())
    await billing.tell(stays[-1].model_copy(update={"case_version": 2, "cancelled": True}), at=now())
    moved = (await billing.get(path, billing.controller())).json()
    assert moved["outdated"] is True
    assert moved["correction"] == {
        "amount_now": {"amount": "48000.00", "currency": "SEK"},
        "billed": {"amount": "96000.00", "currency": "SEK"},
        "difference": {"amount": "-48000.00", "currency": "SEK"},
        "direction": "credit",
    }
    for action, who in (("prepare", "controller"), ("publish", "controller"), ("approve", "approver"), ("issue", "approver")):
        answer = await billing.step(action, getattr(billing, who)())
        assert answer.status_code == 200, answer.text
    corrected = (await billing.get(path, billing.controller())).json()
    assert [one["kind"] for one in corrected["documents"]] == ["invoice", "credit_note"]
    assert corrected["amount"]["amount"] == "48000.00"
    assert (await billing.get(path, billing.controller(), known_at=known_at)).json() == first
    listed = (await billing.get("/v1/months/2026-03", billing.municipality(), known_at=known_at)).json()
    assert [(one["state"], one["amount"], one["outdated"]) for one in listed["months"]] == [("issued", first["amount"], False)]
    explained = (await billing.get(f"{path}/explanation", billing.municipality(), known_at=known_at)).json()
    assert explained["calculation"]["sha256"] == first["calculation"]["sha256"]
    assert [one["number"] for one in explained["documents"]] == [first["invoice"]]


@pytest.mark.parametrize("known_at", ["2999-01-01T00:00:00Z", "2026-03-01", "2026-03-01T10:00:00", "yesterday", "", "-1"])
async def test_an_instant_that_has_not_come_or_is_none_is_refused(billing: Billing, known_at: str) -> None:
    for path in ("/v1/months/2026-03", "/v1/months/2026-03/1480", "/v1/months/2026-03/1480/explanation"):
        answer = await billing.get(path, billing.controller(), known_at=known_at)
        assert (answer.status_code, answer.json()["code"]) == (400, "request.parameter_invalid"), path


async def test_before_anything_was_known_a_month_is_open_and_empty(billing: Billing) -> None:
    await billing.tell(a_stay_fact(12))
    then = (await billing.get("/v1/months/2026-03/1480", billing.controller(), known_at="2026-04-02T00:00:00Z")).json()
    assert (then["state"], then["lines"], then["documents"], then["correction"]) == ("open", [], [], None)


async def test_another_municipality_sees_nothing_of_what_was_known_either(billing: Billing) -> None:
    await billing.tell(a_stay_fact(12))
    for path in ("/v1/months/2026-03/1480", "/v1/months/2026-03/1480/explanation"):
        answer = await billing.get(path, billing.municipality("1481"), known_at="2026-04-02T00:00:00Z")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


STAY = a_stay_fact(8, late_notice=True)
NOT_LATE = a_stay_fact(9, sip_required=True, municipal_needs=("municipal_social",))


async def _decided(work: Work) -> None:
    await decide_reviews(work, [Verdict(STAY.case_id, Reason.LATE_ADMISSION_NOTICE, ReviewOutcome.ACCEPT)], "Seen", APPROVER)


async def _priced(work: Work) -> None:
    row = await propose_tariff(work, date(2027, 1, 1), date(2027, 12, 31), Money.of_kronor(12000), "Made up", PREPARER)
    await approve_tariff(work, row.id, APPROVER)


async def _another_rule_set(work: Work) -> None:
    told = next(file for file in agreement_files() if file.name == "vgr-2018").model_dump(mode="json", exclude_none=True)
    told["average"][0]["long_over"]["value"] = 20
    proposal = await propose_agreement(work, told, "Made up", PREPARER)
    assert proposal.row is not None
    await approve_agreement(work, proposal.row.id, APPROVER)


async def _declined(work: Work) -> None:
    told = {"measures": ("municipal_social",), "declined_at": local("2026-03-09T10:00"), "recorded_at": work.at}
    await apply(work, [MeasuresDeclined(decline_id=uuid7(), case_id=NOT_LATE.case_id, unit=NOT_LATE.ward, **told)])


async def _consent_refused(work: Work) -> None:
    await apply(
        work, [PlanConsentChanged(plan_id=uuid7(), case_id=NOT_LATE.case_id, consent="refused", changed_at=local("2026-03-08T09:00"))]
    )


async def _invited(work: Work) -> None:
    await apply(work, [an_invitation(NOT_LATE.case_id, "2026-03-12T09:00")])


async def _moved(work: Work) -> None:
    await apply(work, [NOT_LATE.model_copy(update={"case_version": 2, "discharged_at": local("2026-03-22T10:00")})])


@pytest.mark.parametrize("happening", [_decided, _priced, _another_rule_set, _declined, _consent_refused, _invited, _moved])
async def test_each_thing_that_can_become_known_later_is_left_out_before(
    billing: Billing, happening: Callable[[Work], Awaitable[None]]
) -> None:
    before, after, later = (START + timedelta(days=days) for days in (10, 11, 12))
    await billing.tell(STAY, NOT_LATE, at=before - timedelta(days=1))
    async with billing.database.transaction(before) as work:
        known = (await gather_one(work, "1480", MARCH)).basis(), await rules_now(work)
    async with billing.database.transaction(after) as work:
        await happening(work)
    async with billing.database.transaction(later) as work:
        now_known = (await gather_one(work, "1480", MARCH)).basis(), await rules_now(work)
        then_known = (await gather_one(work, "1480", MARCH, before)).basis(), await rules_now(work, before)
        still_known = (await gather_one(work, "1480", MARCH, after)).basis(), await rules_now(work, after)
    assert now_known != known
    assert then_known == known
    assert still_known == now_known
