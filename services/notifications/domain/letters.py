"""What stands in the e-mails: counts, units and types; never a person, and of a notice its id at most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Language = Literal["sv", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("sv", "en")

NAMES: Final[Mapping[str, tuple[str, str]]] = {
    "notice.admission": ("inskrivningsmeddelanden", "admission notices"),
    "notice.planned_discharge_changed": ("ändrade planerade utskrivningsdagar", "changed planned discharge dates"),
    "notice.ready": ("meddelanden om utskrivningsklar", "ready notices"),
    "notice.ready_withdrawn": ("återtagna utskrivningsklar", "withdrawn ready notices"),
    "notice.discharged": ("utskrivningsmeddelanden", "discharge notices"),
    "notice.deceased": ("meddelanden om avliden", "notices of death"),
    "notice.cancelled": ("makulerade meddelanden", "cancelled notices"),
    "notice.transferred": ("överflyttningar", "transfers"),
    "notice.leave": ("permissioner", "leaves"),
    "notice.sip_invitation": ("kallelser till SIP", "invitations to SIP"),
    "notice.sip_changed": ("ändrade SIP", "changed SIP"),
    "notice.care_contact": ("fasta vårdkontakter", "care contacts"),
    "notice.planning_status": ("planeringslägen", "planning statuses"),
    "notice.outpatient_block": ("hinder i öppenvården", "outpatient blocks"),
    "notice.declined": ("insatser som patienten tackat nej till", "measures the patient declined"),
    "notice.returned": ("meddelanden i retur", "returned notices"),
    "notice.message": ("frågor och svar", "questions and answers"),
    "notice.deviation": ("avvikelser", "deviations"),
    "notice.reminder": ("påminnelser", "reminders"),
    "notice.month_published": ("publicerade månader", "published months"),
    "notice.month_accepted": ("godtagna månader", "accepted months"),
    "notice.average_passed": ("passerade medelvärden", "passed averages"),
    "notice.dispute_opened": ("öppnade invändningar", "opened disputes"),
    "notice.dispute_escalated": ("invändningar som gått vidare", "escalated disputes"),
    "notice.dispute_decided": ("avgjorda invändningar", "decided disputes"),
    "notice.invoice_issued": ("fakturor", "invoices"),
    "notice.invoice_rejected": ("avvisade fakturor", "rejected invoices"),
    "notice.month_corrected": ("rättade månader", "corrected months"),
    "notice.agreement_approved": ("beslutade regelverk", "approved rule sets"),
    "notice.tariff_approved": ("beslutade dygnspriser", "approved daily prices"),
}


@dataclass(frozen=True, slots=True)
class Written:
    """An e-mail's subject and text."""

    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """So many notices of one type that came into one mailbox."""

    unit: str | None
    mailbox: str
    type: str
    count: int


def digest(lines: Sequence[Line], *, unacknowledged: int, overdue: int, language: Language) -> Written:
    """The digest: what came since the last one, and what waits now.

    Args:
        lines: What came, in the order it is shown.
        unacknowledged: Notices that wait for a person to take them on.
        overdue: How many of them should have been taken on already.
        language: Swedish or English.
    """
    swedish = language == "sv"
    came = sum(line.count for line in lines)
    subject = (
        f"Dirigent: {came} nya meddelanden, {overdue} försenade kvittenser"
        if swedish
        else f"Dirigent: {came} new notices, {overdue} overdue acknowledgements"
    )
    parts = ["Sedan förra sammanfattningen:" if swedish else "Since the last digest:"]
    box = None
    for line in lines:
        if line.mailbox != box:
            box = line.mailbox
            parts.append(f"\n{'Brevlåda' if swedish else 'Mailbox'} {line.unit or box} ({box})")
        name = NAMES.get(line.type, (line.type, line.type))[0 if swedish else 1]
        parts.append(f"  {line.count} {name}")
    if not lines:
        parts.append("Inget nytt." if swedish else "Nothing new.")
    parts.append("")
    parts.append(f"Väntar på kvittens: {unacknowledged}" if swedish else f"Waiting to be acknowledged: {unacknowledged}")
    parts.append(f"Därav försenade: {overdue}" if swedish else f"Of these overdue: {overdue}")
    return Written(subject, "\n".join(parts))


_ESCALATIONS: Final[Mapping[str, tuple[str, str]]] = {
    "notice.unacknowledged": (
        "Ett meddelande har inte kvitterats i tid",
        "A notice was not acknowledged in time",
    ),
    "mailbox.silent": ("En brevlåda läses inte", "A mailbox is not being read"),
    "webhook.exhausted": ("En webhook kan inte levereras", "A webhook cannot be delivered"),
    "webhook.disabled": ("En webhook är avstängd", "A webhook is disabled"),
}
_STEP_NAMES: Final[Mapping[str, tuple[str, str]]] = {
    "contact": ("kontaktperson", "contact"),
    "on_call": ("jour", "on call"),
    "operator": ("driften", "operator"),
}


def escalation(kind: str, *, step: str, facts: Sequence[tuple[str, str, str]], language: Language) -> Written:
    """What is written to a contact when something escalates.

    Args:
        kind: What is the matter.
        step: How far it has come.
        facts: What is told of it: name in Swedish, name in English, value. Units, ids and times; never a person.
        language: Swedish or English.
    """
    swedish = language == "sv"
    at = 0 if swedish else 1
    title = _ESCALATIONS[kind][at]
    lines = [f"{title}.", ""]
    lines += [f"{name[at]}: {name[2]}" for name in facts]
    lines.append(f"{'Eskalerat till' if swedish else 'Escalated to'}: {_STEP_NAMES[step][at]}")
    return Written(f"Dirigent: {title[0].lower()}{title[1:]}", "\n".join(lines))


def ending(link: str, language: Language) -> str:
    """What stands below every mail: where to go and look, and that there is nothing to answer."""
    if language == "sv":
        return f"\n\nLogga in och läs: {link}\nBrevet innehåller inga personuppgifter och kan inte besvaras.\n"
    return f"\n\nSign in and read: {link}\nThis mail holds no personal data and cannot be answered.\n"
