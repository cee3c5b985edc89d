"""What planning hears from the other services, and the use case that each fact goes to."""

from collections.abc import Mapping
from typing import Final

from services.planning import usecases
from shared.events.access_facts import AccessLogged
from shared.events.creditor_facts import DisputeEscalated, InvoiceRejected, MonthAccepted
from shared.events.debtor_facts import AgreementApproved, TariffApproved
from shared.events.facts import AveragePassed, DisputeDecided, DisputeOpened, InvoiceIssued, MonthCorrected, MonthPublished
from shared.streams.consumer import Handler

BILLING: Final[Mapping[str, Handler]] = {
    MonthPublished.kind: usecases.tell_months,
    MonthCorrected.kind: usecases.tell_corrections,
    InvoiceIssued.kind: usecases.tell_invoices,
    DisputeDecided.kind: usecases.tell_disputes,
    DisputeOpened.kind: usecases.tell_opened_disputes,
    DisputeEscalated.kind: usecases.tell_escalated_disputes,
    MonthAccepted.kind: usecases.tell_acceptances,
    InvoiceRejected.kind: usecases.tell_rejected_invoices,
    AveragePassed.kind: usecases.tell_averages,
    AgreementApproved.kind: usecases.tell_agreements,
    TariffApproved.kind: usecases.tell_tariffs,
    AccessLogged.kind: usecases.keep_accesses,
}
