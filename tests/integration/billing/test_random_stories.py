"""Whatever happens, in whatever order: money adds up after every step, nothing is forgotten, and the doctor finds nothing."""

import os
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import text

from dirigent.doctor.examining import look
from services.billing.agreements import agreement_files
from services.billing.domain.closing import CLOSED, CalculationName, MonthAction, MonthState
from services.billing.domain.correcting import DocumentKind, billed, rest_of
from services.billing.domain.disputing import DisputeAction, DisputeOutcome, DisputeReason
from services.billing.domain.identity import canonical_json
from services.billing.domain.owed import balance, nothing_owed
from services.billing.domain.persons import Actor
from services.billing.domain.verifying import verify
from services.billing.repository import invoices, months, statuses
from services.billing.usecases.agreements import approve_agreement, propose_agreement
from services.billing.usecases.closing import Item, act
from services.billing.usecases.disputes import Contested, Escalation, Ruling, decide_dispute, escalate_dispute, open_dispute
from services.billing.usecases.explaining import explanation_of
from services.billing.usecases.ledger import turn_month
from services.billing.usecases.reading import month_of
from services.billing.usecases.receivables import receivables
from services.billing.usecases.statuses import Report, Status, report
from shared.dates import Month, local_date
from shared.db import Work
from shared.identifiers import uuid7
from shared.money import ZERO, Money
from tests.integration.billing.parts import Billing
from tests.integration.billing.test_known_at import APPROVER, APRIL, CODES, DEBTOR, MARCH, PREPARER, Story

SEEDS = range(int(os.environ.get("DIRIGENT_STORIES_FROM", "1")), int(os.environ.get("DIRIGENT_STORIES_TO", "3")))
STEPS = int(os.environ.get("DIRIGENT_STORIES_STEPS", "40"))
ACCOUNTS = text("SELECT p.account, sum(p.amount_ore) FROM ledger_postings p GROUP BY p.account")
UNBALANCED = text("SELECT count(*) FROM (SELECT entry_id FROM ledger_postings GROUP BY entry_id HAVING sum(amount_ore) <> 0) AS u")


ONWARD = {
    MonthState.OPEN: (MonthAction.PREPARE, PREPARER),
    MonthState.PREPARED: (MonthAction.PUBLISH, PREPARER),
    MonthState.PUBLISHED: (MonthAction.SIGN, DEBTOR),
    MonthState.ACCEPTED: (MonthAction.APPROVE, APPROVER),
    MonthState.APPROVED: (MonthAction.ISSUE, APPROVER),
}


class WildStory(Story):
    """A story in which disputes go every way they can, rule sets change, and every document is paid or paid out in parts."""

    async def begins(self) -> None:
        """What it rests on, and both municipalities' invoices of March, so that everything after is a correction or a payment."""
        await super().begins()
        self.at = datetime(2026, 4, 2, 8, tzinfo=UTC)
        for _ in range(5 * 8):
            async with self.billing.database.transaction(self.at) as work:
                code = self.random.choice(CODES)
                if (await months.find(work, code, MARCH)).state not in CLOSED:
                    await self.goes_on(work, code, MARCH)

    async def goes_on(self, work: Work, code: str, month: Month) -> None:
        """The step that follows; raises what refuses it."""
        row = (await month_of(work, code, month, None)).row
        action, actor = ONWARD[row.state]
        named = None if action is MonthAction.PREPARE else CalculationName(row.version or 0, row.sha256 or "")
        (outcome,) = await act(work, month, action, [Item(code, named)], actor, None if named is None else self.terms)
        if outcome.error is not None:
            raise outcome.error

    async def stepped(self, work: Work) -> None:
        """A step of a month half of the time, else something that a quiet story does not have."""
        wild = (self.partly_disputed, self.ruled_partly, self.escalated, self.paid_any, self.paid_any, self.rules_changed)
        if self.random.random() < 0.2:
            await self.random.choice(wild)(work)
        else:
            await super().stepped(work)

    async def partly_disputed(self, work: Work) -> None:
        code, month = self.random.choice(CODES), self.random.choice((MARCH, APRIL))
        view = await month_of(work, code, month, None)
        lines = [line for line in view.calculation["lines"] if line["days"] and line["ended_on"]]
        if not lines:
            return
        line = self.random.choice(lines)
        stay = next(one for one in self.stays if str(one.case_id) == line["case"])
        first = local_date(stay.ready[0].notice_sent_at)
        days = tuple(first + timedelta(days=one) for one in self.random.sample(range(line["days"]), self.random.randint(1, line["days"])))
        contested = Contested(code, month, stay.case_id, days, DisputeReason.READINESS_CONTESTED, "Not those days")
        self.disputes.append((await open_dispute(work, contested, DEBTOR)).id)

    async def ruled_partly(self, work: Work) -> None:
        if not self.disputes:
            return
        dispute_id = self.random.choice(self.disputes)
        stay = (await work.connection.execute(text("SELECT case_id, days FROM disputes WHERE id = :id"), {"id": dispute_id})).one()
        first = local_date(next(one for one in self.stays if one.case_id == stay.case_id).ready[0].notice_sent_at)
        days = tuple(stay.days[:-1]) if stay.days else (first,)
        await decide_dispute(work, dispute_id, Ruling(DisputeOutcome.PARTLY, days, "Some"), Actor("other", "Olle"))

    async def escalated(self, work: Work) -> None:
        if self.disputes:
            action = self.random.choice((DisputeAction.ESCALATE, DisputeAction.TAKE_TO_COURT))
            told = Escalation(action, "Look again", "T 1-26" if action is not DisputeAction.ESCALATE else None)
            await escalate_dispute(work, self.random.choice(self.disputes), told, DEBTOR, self.random.choice(CODES))

    async def paid_any(self, work: Work) -> None:
        code, month = self.random.choice(CODES), self.random.choice((MARCH, APRIL))
        documents = (await invoices.of_month(work, [code], month)).get(code, [])
        if documents:
            document = self.random.choice(documents)
            amount = self.random.choice((document.amount, Money(document.amount.ore // 3), Money(1), Money(document.amount.ore // 2)))
            told = Report(Status.PAID, amount, local_date(work.at), str(uuid7()))
            await report(work, document.number, told, Actor("finance", "Fatima"))

    async def rules_changed(self, work: Work) -> None:
        told = deepcopy(next(file for file in agreement_files() if file.name == "vgr-2018").model_dump(mode="json", exclude_none=True))
        told["average"][0]["threshold"]["value"] = self.random.choice(("2.0", "3.0", "3.5", "4.0"))
        row = await propose_agreement(work, told, "Made up", PREPARER)
        assert row.row is not None
        await approve_agreement(work, row.row.id, APPROVER)


async def hold(work: Work) -> set[str]:
    """Everything that must hold of money at any time; returns what states there were."""
    seen: set[str] = set()
    total_documents = total_paid = 0
    payments = await statuses.payments(work, None)
    for code in CODES:
        for month in (MARCH, APRIL):
            row = await months.find(work, code, month)
            seen.add(row.state.value)
            documents = (await invoices.of_month(work, [code], month)).get(code, [])
            seen |= {one.kind.value for one in documents}
            assert Money(row.billed_ore) == billed(documents)
            assert row.invoice_number == (documents[0].number if documents else None)
            if row.issued_version is not None:
                stood = await work.connection.execute(
                    text("SELECT amount_ore FROM calculations WHERE municipality = :code AND month = :month AND version = :version"),
                    {"code": code, "month": month.first, "version": row.issued_version},
                )
                assert stood.scalar_one() == billed(documents).ore
            for document in documents:
                if document.kind is not DocumentKind.CREDIT_NOTE:
                    assert ZERO <= rest_of(document, documents) <= document.amount
            own = [one for one in payments if one.number in {document.number for document in documents}]
            if row.state is MonthState.SETTLED:
                assert nothing_owed(documents, own)
            elif row.state is MonthState.ISSUED:
                assert not nothing_owed(documents, own)
            kinds = {one.number: one.kind for one in documents}
            inward = sum(one.amount.ore if kinds[one.number] is not DocumentKind.CREDIT_NOTE else -one.amount.ore for one in own)
            owed = sum(balance(one, documents, own).ore for one in documents if one.kind is not DocumentKind.CREDIT_NOTE)
            assert owed == billed(documents).ore - inward
            total_documents += billed(documents).ore
            total_paid += inward
            explained = await explanation_of(work, code, month, None, None)
            assert verify(canonical_json(explained)) is None
    accounts = {row.account: int(row.sum) for row in await work.connection.execute(ACCOUNTS)}
    assert sum(accounts.values()) == 0
    assert (await work.connection.execute(UNBALANCED)).scalar_one() == 0
    open_rest = sum(one.rest.ore for one in await receivables(work, local_date(work.at), None))
    assert open_rest == total_documents - total_paid
    assert total_documents - total_paid in accounts.values() or total_documents == total_paid
    assert (await look(work, "billing")).faults == ()
    return seen


@pytest.mark.parametrize("seed", SEEDS)
async def test_money_adds_up_after_whatever_happens(billing: Billing, seed: int) -> None:
    story = WildStory(billing, Random(1000 + seed))
    await story.begins()
    async with billing.database.transaction(story.at) as work:
        seen = await hold(work)
    for _ in range(STEPS):
        await story.one_more()
        async with billing.database.transaction(story.at) as work:
            while await turn_month(work):
                pass
        async with billing.database.transaction(story.at) as work:
            seen |= await hold(work)
    assert seen & {state.value for state in CLOSED}
    assert "DIRIGENT_STORIES_TO" in os.environ or seen & {"credit_note", "supplementary"}
