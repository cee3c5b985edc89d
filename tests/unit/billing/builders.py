"""Stays, agreements and a short way to settle them, for tests that say one sentence of the law each."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from uuid import UUID

from services.billing.agreements import load_agreements, load_tariffs
from services.billing.domain.basis import CountedAs, Line, MonthBasis
from services.billing.domain.contested import Claim
from services.billing.domain.gate import open_grounds
from services.billing.domain.month import RuleBook, settle_month
from services.billing.domain.reasons import Reason, ReviewDecision, ReviewOutcome
from services.billing.domain.settlement import settle
from services.billing.domain.stay import CareType, Compulsory, Invitation, Readiness, Stay
from services.billing.domain.tariff import Tariffs
from services.billing.domain.terms import Agreement
from shared.dates import STOCKHOLM, Month, local_date, start_of_day
from shared.money import Money

AGREEMENTS = {agreement.name: agreement for agreement in load_agreements()}
LAW_2018, VGR_2018 = AGREEMENTS["law-2018"], AGREEMENTS["vgr-2018"]
TARIFFS = load_tariffs()
BOOK = RuleBook(load_agreements(), TARIFFS, "2321000131")
GOTEBORG = "1480"
_NUMBERS = count(1)


def local(text: str) -> datetime:
    """The instant of a Swedish wall-clock time."""
    return datetime.fromisoformat(text).replace(tzinfo=STOCKHOLM).astimezone(UTC)


def a_ready_notice(sent: str, withdrawn: str | None = None, compulsory: Compulsory = Compulsory.NONE) -> Readiness:
    return Readiness(local(sent), None if withdrawn is None else local(withdrawn), compulsory)


def a_stay(
    days: int | None = None,
    *,
    ready: str | Readiness | tuple[Readiness, ...] | None = None,
    discharged: str | None = None,
    care_type: CareType = CareType.SOMATIC,
    municipality: str | None = GOTEBORG,
    admission_notice: str | None = "on time",
    judged: datetime | None = None,
    sip_required: bool = False,
    invited: Sequence[str] = (),
    deceased: str | None = None,
    findings: tuple[str, ...] = (),
    sign_of_life: str | None = None,
    cancelled: bool = False,
    number: int | None = None,
) -> Stay:
    """A stay that waited `days` days and left on 20 March 2020, unless said; its notices came in time, unless said."""
    end = None if discharged is None and days is None else local(discharged or "2020-03-20T11:00")
    if ready is None:
        assert end is not None
        assert days is not None
        first = local_date(end) - timedelta(days=days)
        ready = a_ready_notice(f"{first.isoformat()}T09:00")
    notices = ready if isinstance(ready, tuple) else (a_ready_notice(ready) if isinstance(ready, str) else ready,)
    need = judged or start_of_day(notices[0].sent_on - timedelta(days=5))
    sent = need + timedelta(hours=2) if admission_notice == "on time" else admission_notice and local(admission_notice)
    return Stay(
        UUID(int=number or next(_NUMBERS)),
        care_type,
        municipality,
        "SE2321000131-E000000000101",
        need,
        sent or None,
        notices,
        sip_required,
        tuple(Invitation(local(text), frozenset({municipality or ""})) for text in invited),
        end,
        None if deceased is None else local(deceased),
        cancelled,
        findings,
        None if sign_of_life is None else local(sign_of_life),
    )


def month_of(
    stays: Iterable[Stay],
    agreement: Agreement = VGR_2018,
    month: str = "2020-03",
    *,
    municipality: str = GOTEBORG,
    tariffs: Tariffs = TARIFFS,
    decisions: Sequence[ReviewDecision] = (),
    as_of: date | None = None,
) -> MonthBasis:
    """Settle Göteborg's March 2020, unless said."""
    return settle(stays, agreement, tariffs, municipality, Month.parse(month), decisions=decisions, as_of=as_of)


def by_book(
    stays: Iterable[Stay],
    month: str = "2020-03",
    *,
    municipality: str = GOTEBORG,
    book: RuleBook = BOOK,
    decisions: Sequence[ReviewDecision] = (),
    claims: Sequence[Claim] = (),
) -> MonthBasis:
    """Settle Göteborg's March 2020, unless said, each stay under the rule set it falls under."""
    return settle_month(stays, book, municipality, Month.parse(month), decisions=decisions, claims=claims)


def tried(name: str) -> RuleBook:
    """The book in which a profile binds everybody at every time."""
    return BOOK.as_if(AGREEMENTS[name])


def decided(stay: Stay, reason: Reason, outcome: ReviewOutcome) -> ReviewDecision:
    """A decision on a stay of Göteborg's March 2020, taken on the facts as they stand."""
    grounds = [ground for line in month_of([stay]).lines for ground in open_grounds(line) if ground.reason is reason]
    return ReviewDecision(stay.case_id, reason, outcome, grounds[0].facts if grounds else "")


def excess(basis: MonthBasis) -> int:
    """The excess days, which are whole under every agreement shipped."""
    assert basis.excess_days.denominator == 1
    return basis.excess_days.numerator


def kronor(amount: int) -> Money:
    return Money.of_kronor(amount)


def line_of(basis: MonthBasis, stay: Stay) -> Line:
    return next(line for line in basis.lines if line.stay == stay.case_id)


def counted_as(basis: MonthBasis, stay: Stay) -> CountedAs:
    return line_of(basis, stay).counted_as


def reasons(basis: MonthBasis, stay: Stay) -> list[str]:
    return [ground.reason.value for ground in line_of(basis, stay).reasons]
