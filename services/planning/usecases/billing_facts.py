"""What billing made known becomes a notice, the municipality's or the region's; planning owns the mailboxes, billing the money."""

from collections.abc import Iterable, Mapping, Sequence

from services.planning.repository import directory
from services.planning.repository.directory import Mailbox
from services.planning.usecases.mailing import Letter, Post
from shared.db import Work
from shared.events.creditor_facts import DisputeEscalated, InvoiceRejected, MonthAccepted
from shared.events.debtor_facts import AgreementApproved, TariffApproved
from shared.events.facts import AveragePassed, DisputeDecided, DisputeOpened, InvoiceIssued, MonthCorrected, MonthPublished
from shared.streams.consumer import Delivered

MONTH_PUBLISHED = "notice.month_published"
MONTH_CORRECTED = "notice.month_corrected"
INVOICE_ISSUED = "notice.invoice_issued"
DISPUTE_DECIDED = "notice.dispute_decided"
DISPUTE_OPENED = "notice.dispute_opened"
DISPUTE_ESCALATED = "notice.dispute_escalated"
MONTH_ACCEPTED = "notice.month_accepted"
INVOICE_REJECTED = "notice.invoice_rejected"
AVERAGE_PASSED = "notice.average_passed"
AGREEMENT_APPROVED = "notice.agreement_approved"
TARIFF_APPROVED = "notice.tariff_approved"


async def tell_months(work: Work, delivered: Sequence[Delivered]) -> None:
    """Put `notice.month_published` into the mailboxes of the municipalities concerned."""
    for one in delivered:
        fact = one.fact
        if isinstance(fact, MonthPublished):
            about = {"month": fact.month, "calculation": fact.calculation, "version": str(fact.version), "amount": fact.amount}
            await _post(work, fact.municipality, MONTH_PUBLISHED, f"{MONTH_PUBLISHED}/{one.entry_id}", about)


async def tell_corrections(work: Work, delivered: Sequence[Delivered]) -> None:
    """Put `notice.month_corrected` into the mailboxes of the debtors; where it asks for more, their window starts again."""
    for one in delivered:
        fact = one.fact
        if isinstance(fact, MonthCorrected):
            about = {
                "month": fact.month,
                "calculation": fact.calculation,
                "version": str(fact.version),
                "amount": fact.amount,
                "difference": fact.difference,
            }
            await _post(work, fact.municipality, MONTH_CORRECTED, f"{MONTH_CORRECTED}/{one.entry_id}", about)


async def tell_disputes(work: Work, delivered: Sequence[Delivered]) -> None:
    """Put `notice.dispute_decided` into the mailbox of the debtor; why it was decided so stands in billing."""
    for one in delivered:
        fact = one.fact
        if isinstance(fact, DisputeDecided):
            about = {"dispute": str(fact.dispute_id), "month": fact.month, "case": str(fact.case_id), "outcome": fact.outcome}
            await _post(work, fact.municipality, DISPUTE_DECIDED, f"{DISPUTE_DECIDED}/{one.entry_id}", about)


async def tell_invoices(work: Work, delivered: Sequence[Delivered]) -> None:
    """Put `notice.invoice_issued` into the mailboxes of the debtors."""
    for one in delivered:
        fact = one.fact
        if isinstance(fact, InvoiceIssued):
            about = {"invoice": fact.number, "month": fact.month, "amount": fact.amount, "document": fact.document}
            # An `about` holds texts alone: what corrects nothing names nothing.
            about |= {} if fact.refers_to is None else {"refers_to": fact.refers_to}
            await _post(work, fact.municipality, INVOICE_ISSUED, f"{INVOICE_ISSUED}/{one.entry_id}", about)


async def tell_averages(work: Work, delivered: Sequence[Delivered]) -> None:
    """Put `notice.average_passed` into the mailbox of the municipality, and of the region's controller where there is one."""
    for one in delivered:
        fact = one.fact
        if isinstance(fact, AveragePassed):
            about = {"month": fact.month, "threshold": fact.threshold, "average": fact.average, "stays": str(fact.stays)}
            about |= {"municipality": fact.municipality}
            await _post(work, fact.municipality, AVERAGE_PASSED, f"{AVERAGE_PASSED}/{one.entry_id}", about)
            await _post_to_creditor(work, AVERAGE_PASSED, f"{AVERAGE_PASSED}/{one.entry_id}", about)


async def tell_opened_disputes(work: Work, delivered: Sequence[Delivered]) -> None:
    """Put `notice.dispute_opened` into the mailbox of the region's controller, where there is one; the debtor opened it itself."""
    for one in delivered:
        fact = one.fact
        if isinstance(fact, DisputeOpened):
            about = {"dispute": str(fact.dispute_id), "month": fact.month, "case": str(fact.case_id), "municipality": fact.municipality}
            await _post_to_creditor(work, DISPUTE_OPENED, f"{DISPUTE_OPENED}/{one.entry_id}", about)


async def tell_escalated_disputes(work: Work, delivered: Sequence[Delivered]) -> None:
    """Put `notice.dispute_escalated` into the mailbox of the region's controller, and of the debtor where the region noted it."""
    for one in delivered:
        fact = one.fact
        if isinstance(fact, DisputeEscalated):
            about = {"dispute": str(fact.dispute_id), "month": fact.month, "case": str(fact.case_id), "to": fact.to, "by": fact.by}
            about |= {"municipality": fact.municipality}
            origin = f"{DISPUTE_ESCALATED}/{one.entry_id}"
            await _post_to_creditor(work, DISPUTE_ESCALATED, origin, about)
            if fact.by == "creditor":
                await _post(work, fact.municipality, DISPUTE_ESCALATED, origin, about)


async def tell_acceptances(work: Work, delivered: Sequence[Delivered]) -> None:
    """Put `notice.month_accepted` into the mailbox of the region's controller."""
    for one in delivered:
        fact = one.fact
        if isinstance(fact, MonthAccepted):
            about = {"month": fact.month, "calculation": fact.calculation, "version": str(fact.version), "amount": fact.amount}
            about |= {"accepted": fact.accepted, "municipality": fact.municipality}
            await _post_to_creditor(work, MONTH_ACCEPTED, f"{MONTH_ACCEPTED}/{one.entry_id}", about)


async def tell_rejected_invoices(work: Work, delivered: Sequence[Delivered]) -> None:
    """Put `notice.invoice_rejected` into the mailbox of the region's controller; why it was rejected stands in billing."""
    for one in delivered:
        fact = one.fact
        if isinstance(fact, InvoiceRejected):
            about = {"invoice": fact.number, "month": fact.month, "document": fact.document, "municipality": fact.municipality}
            await _post_to_creditor(work, INVOICE_REJECTED, f"{INVOICE_REJECTED}/{one.entry_id}", about)


async def tell_agreements(work: Work, delivered: Sequence[Delivered]) -> None:
    """Put `notice.agreement_approved` into the mailboxes of the municipalities that the rule set binds, or bound until now."""
    for one in delivered:
        fact = one.fact
        if isinstance(fact, AgreementApproved):
            about = {"agreement": fact.name, "version": str(fact.version), "first": fact.first.isoformat()}
            bound = None if fact.municipalities is None else [f"municipality:{code}" for code in fact.municipalities]
            await _post_to_debtors(work, bound, AGREEMENT_APPROVED, f"{AGREEMENT_APPROVED}/{one.entry_id}", about)


async def tell_tariffs(work: Work, delivered: Sequence[Delivered]) -> None:
    """Put `notice.tariff_approved` into the mailbox of every municipality."""
    for one in delivered:
        fact = one.fact
        if isinstance(fact, TariffApproved):
            about = {"tariff": str(fact.tariff_id), "first": fact.first.isoformat(), "last": fact.last.isoformat(), "price": fact.price}
            await _post_to_debtors(work, None, TARIFF_APPROVED, f"{TARIFF_APPROVED}/{one.entry_id}", about)


async def _post_to_debtors(work: Work, recipients: Sequence[str] | None, kind: str, origin: str, about: Mapping[str, str]) -> None:
    reached = await directory.municipalities(work) if recipients is None else recipients
    await _put(work, (await directory.mailboxes_for(work, reached, function="controller")).values(), kind, origin, about)


async def _post(work: Work, municipality: str, kind: str, origin: str, about: Mapping[str, str]) -> None:
    """A notice of billing is sent when it enters the mailbox; the dispute window of a month starts then (rule 3.8)."""
    found = await directory.mailboxes_for(work, [f"municipality:{municipality}"], function="controller")
    await _put(work, found.values(), kind, origin, about)


async def _post_to_creditor(work: Work, kind: str, origin: str, about: Mapping[str, str]) -> None:
    await _put(work, await directory.controllers_of_region(work), kind, origin, about)


async def _put(work: Work, mailboxes: Iterable[Mailbox], kind: str, origin: str, about: Mapping[str, str]) -> None:
    post = Post()
    for mailbox in mailboxes:
        post.put(Letter(mailbox, kind, sender=None, sent_at=work.at, origin=origin, about=about))
    await post.write(work)
