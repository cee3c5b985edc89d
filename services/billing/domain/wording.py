"""What people read of a calculation, in Swedish and in English: how a stay was counted, which rule spoke, and why.

Words only: nothing here decides anything, and no number of the law stands here.
"""

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Final

from services.billing.domain.basis import CountedAs
from services.billing.domain.reasons import Reason
from services.billing.domain.stay import CareType
from shared.dates import stockholm
from shared.money import ORE_PER_KRONA, Money

WORDS: Final = 1
"""The version of all words that an explanation is told in: whoever changes one raises it, and what was told before still verifies."""

NO_BREAK: Final = "\u00a0"
DECIMALS: Final = 2


@dataclass(frozen=True, slots=True)
class Words:
    """The same in both languages."""

    sv: str
    en: str


COUNTED_AS: Final = {
    CountedAs.AVERAGE: Words("räknas i genomsnittet", "counted in the average"),
    CountedAs.LONG: Words("lång vårdtid, räknas för sig", "long stay, charged by itself"),
    CountedAs.INDIVIDUAL: Words("räknas för sig", "charged by itself"),
    CountedAs.EXCLUDED: Words("räknas inte", "not counted"),
    CountedAs.REVIEW: Words("väntar på granskning, räknas inte än", "held for review, not counted yet"),
    CountedAs.DISPUTED: Words("tvistig, räknas inte förrän tvisten är avgjord", "contested, not counted until the dispute is decided"),
}
CARE_TYPES: Final = {
    CareType.SOMATIC: Words("somatisk vård", "somatic care"),
    CareType.PSYCHIATRIC: Words("psykiatrisk vård", "psychiatric care"),
}
# By their values, so that a month that was explained yesterday reads the same when a reason has come.
REASONS: Final = {
    "no_registered_municipality": Words("patienten är inte folkbokförd i någon kommun", "the patient is registered in no municipality"),
    "agreement_not_in_force": Words("ingen regel gällde för vårdtypen den dagen", "no rule was in force for the care type on that day"),
    "ready_withdrawn": Words("utskrivningsklar återtogs", "the readiness was withdrawn"),
    "ready_after_discharge": Words(
        "meddelandet om utskrivningsklar skickades efter utskrivningen", "the ready notice was sent after the discharge"
    ),
    "deceased_while_ready": Words("patienten avled som utskrivningsklar", "the patient died while ready"),
    "no_admission_notice": Words("inget inskrivningsmeddelande till kommunen", "no admission notice to the municipality"),
    "late_admission_notice": Words("inskrivningsmeddelandet kom för sent", "the admission notice came too late"),
    "no_sip_invitation": Words("ingen kallelse till SIP", "no SIP invitation"),
    "late_sip_invitation": Words("kallelsen till SIP kom för sent", "the SIP invitation came too late"),
    "uninvited_short_stay": Words(
        "kallelse till SIP saknas eller är sen, men den korta vårdtiden räknas i genomsnittet",
        "the SIP invitation is missing or late, but the short stay counts in the average",
    ),
    "sip_refused": Words("patienten sa nej till SIP", "the patient refused a SIP"),
    "sip_requirement_contested": Words("parterna är oense om huruvida SIP krävs", "the parties disagree on whether a SIP is required"),
    "outpatient_block": Words("insatser i öppenvården saknades eller var oklara", "outpatient measures were missing or unclear"),
    "outpatient_block_contested": Words("hinder i öppenvården är omstritt", "an outpatient block is contested"),
    "measures_declined": Words("patienten tackade nej till kommunens insatser", "the patient declined the municipality's measures"),
    "declined_says_debtor": Words(
        "kommunen uppgav i efterhand att patienten tackat nej", "the municipality stated afterwards that the patient declined"
    ),
    "placement_disputed": Words("flera kommuner uppges ha placerat patienten", "several municipalities are said to have placed her"),
    "paper_time_unconfirmed": Words("en tid på papper är inte bekräftad", "a time on paper is not confirmed"),
    "leave_days_skipped": Words("permissionsdagar är borträknade", "days of leave are left out"),
    "transfer_restarts": Words("räkningen började om vid förflyttningen", "the clock started anew at the transfer"),
    "contradictory_events": Words("uppgifterna om vårdtillfället motsäger varandra", "what is known of the stay contradicts itself"),
    "no_sign_of_life": Words("inget har hörts om patienten på länge", "nothing has been heard of the patient for long"),
    "dispute_upheld": Words("kommunen fick rätt i en tvist om vårdtillfället", "a dispute about the stay was decided for the municipality"),
    "disputed_days": Words("tvistiga dagar är borträknade", "contested days are left out"),
    "dispute_undecided": Words("en tvist om vårdtillfället är inte avgjord", "a dispute about the stay is not decided"),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule that every stay is tried against: its name, where it stands, and the reasons by which it speaks."""

    code: str
    source: str
    words: Words
    reasons: frozenset[str]


RULES: Final = (
    Rule(
        "registered_municipality",
        "Lag (2017:612) 5 kap. 1–2 §§",
        Words("Kommunen är den som ansvarar: folkbokföring eller placering", "The municipality is liable: registration or placement"),
        frozenset({"no_registered_municipality", "placement_disputed"}),
    ),
    Rule(
        "admission_notice",
        "Lag (2017:612) 2 kap. 1–3 §§, 5 kap. 3 §",
        Words("Inskrivningsmeddelande (N1) skickades i tid", "The admission notice (N1) was sent in time"),
        frozenset({"no_admission_notice", "late_admission_notice", "paper_time_unconfirmed"}),
    ),
    Rule(
        "ready_notice",
        "Lag (2017:612) 3 kap. 1 §, 5 kap. 3 §",
        Words("Meddelande om utskrivningsklar (N5) skickades och gäller", "The ready notice (N5) was sent and stands"),
        frozenset({"ready_withdrawn", "ready_after_discharge"}),
    ),
    Rule(
        "sip_invitation",
        "Lag (2017:612) 4 kap. 1–3 §§, 5 kap. 3 §",
        Words("Kallelse till SIP (N8) skickades i tid där den krävs", "The SIP invitation (N8) was sent in time where required"),
        frozenset({"no_sip_invitation", "late_sip_invitation", "uninvited_short_stay", "sip_refused", "sip_requirement_contested"}),
    ),
    Rule(
        "outpatient_block",
        "Lag (2017:612) 5 kap. 5 §",
        Words("Utskrivningen hindrades inte av öppenvården", "Outpatient care did not hold the discharge up"),
        frozenset({"outpatient_block", "outpatient_block_contested"}),
    ),
    Rule(
        "measures_declined",
        "Switch declined_measures",
        Words("Patienten tackade inte nej till kommunens insatser", "The patient did not decline the municipality's measures"),
        frozenset({"measures_declined", "declined_says_debtor"}),
    ),
    Rule(
        "waiting_days",
        "Lag (2017:612) 5 kap. 4 §",
        Words("Väntedagarna räknas från meddelandet till utskrivningen", "Waiting days run from the notice to the discharge"),
        frozenset({"deceased_while_ready", "leave_days_skipped", "transfer_restarts"}),
    ),
    Rule(
        "rule_set",
        "The agreement's own time of validity",
        Words("En regel gällde för vårdtypen", "A rule was in force for the care type"),
        frozenset({"agreement_not_in_force"}),
    ),
    Rule(
        "reliable_data",
        "Domain rule 3.8, data-quality gate",
        Words("Uppgifterna om vårdtillfället håller", "What is known of the stay is reliable"),
        frozenset({"contradictory_events", "no_sign_of_life"}),
    ),
    Rule(
        "dispute",
        "Domain rule 3.8, dispute",
        Words("Ingen tvist tar bort vårdtillfället eller dagar av det", "No dispute takes the stay or days of it away"),
        frozenset({"dispute_upheld", "disputed_days", "dispute_undecided"}),
    ),
)


def reason_words(reason: Reason) -> Words:
    """How a reason reads."""
    return REASONS.get(reason.value, Words(reason.value, reason.value))


def kronor(amount: Money) -> Words:
    """An amount as each language writes it: `65 600,00 kr`, `SEK 65,600.00`."""
    sign = "−" if amount.ore < 0 else ""
    whole, ore = divmod(abs(amount.ore), ORE_PER_KRONA)
    return Words(f"{sign}{f'{whole:,}'.replace(',', NO_BREAK)},{ore:02d}{NO_BREAK}kr", f"{sign}SEK{NO_BREAK}{whole:,}.{ore:02d}")


def number(value: Fraction) -> Words:
    """A number as each language writes it; what no decimal number writes exactly stays a fraction."""
    if value.denominator == 1:
        return Words(str(value.numerator), str(value.numerator))
    for decimals in range(1, DECIMALS + 1):
        scaled = value * 10**decimals
        if scaled.denominator == 1:
            whole, rest = divmod(scaled.numerator, 10**decimals)
            return Words(f"{whole},{rest:0{decimals}d}", f"{whole}.{rest:0{decimals}d}")
    return Words(f"{value.numerator}/{value.denominator}", f"{value.numerator}/{value.denominator}")


def days(value: Fraction) -> Words:
    """A number of days with its unit."""
    told, one = number(value), value == 1
    return Words(f"{told.sv} {'dag' if one else 'dagar'}", f"{told.en} {'day' if one else 'days'}")


def stays(count: int) -> Words:
    """A number of stays with its unit."""
    return Words(f"{count} {'vårdtillfälle' if count == 1 else 'vårdtillfällen'}", f"{count} {'stay' if count == 1 else 'stays'}")


def clock(instant: datetime) -> str:
    """An instant on a Swedish wall clock, to the second: a notice sent one second after noon is sent after noon."""
    return f"{stockholm(instant):%Y-%m-%d %H:%M:%S}"


def span(first: date, last: date) -> str:
    """The days from one to another, both included."""
    return first.isoformat() if first == last else f"{first.isoformat()}–{last.isoformat()}"
