"""Settle one municipality's month: from stays, rule sets and prices to the month basis (domain rules 3.1–3.4, 3.7 and 3.8)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from typing import Self
from uuid import UUID

from services.billing.domain import contested
from services.billing.domain.averaging import GroupKey, groups_of, key_of, month_before
from services.billing.domain.basis import AverageGroup, CountedAs, DisputedAmounts, Line, MonthBasis, MonthBefore, total
from services.billing.domain.charge import Standing, average_day, charged_in, last_day, standing
from services.billing.domain.contested import NOTHING, Claim, Conceded, conceded
from services.billing.domain.gate import Held, inspect, joined_findings
from services.billing.domain.grounds import facts_of
from services.billing.domain.lowest import lowest
from services.billing.domain.preconditions import Assessment, assess
from services.billing.domain.pricing import price_days
from services.billing.domain.reasons import Exclusion, Reason, ReviewDecision, ReviewOutcome
from services.billing.domain.rulesets import RuleSets
from services.billing.domain.stay import Stay
from services.billing.domain.tariff import Tariffs
from services.billing.domain.terms import Agreement, AverageTerms, Charging, Model
from shared.dates import Month, local_date
from shared.money import ZERO, Money


@dataclass(frozen=True, slots=True)
class Scene:
    """What a month is settled under: the rule sets its stays may fall under, the prices, the debtor, the month, and the day it is seen on.

    `as_of` None, or any day after the month, means that the month is over.
    """

    rules: RuleSets
    tariffs: Tariffs
    municipality: str
    month: Month
    as_of: date | None = None

    @property
    def complete(self) -> bool:
        """Whether the month is over."""
        return self.as_of is None or self.as_of > last_day(self.month)


def settle(
    stays: Iterable[Stay],
    agreement: Agreement,
    tariffs: Tariffs,
    municipality: str,
    month: Month,
    *,
    decisions: Iterable[ReviewDecision] = (),
    as_of: date | None = None,
) -> MonthBasis:
    """Calculate what one municipality owes for one month with every stay under one rule set, whatever its time and parties.

    Source:
        Lag (2017:612) 5 kap.; VGR agreement 2018-09-25.
    """
    scene = Scene(RuleSets((agreement,), regardless=True), tariffs, municipality, month, as_of)
    return settle_under(scene, stays, decisions=decisions)


def settle_under(
    scene: Scene, stays: Iterable[Stay], *, decisions: Iterable[ReviewDecision] = (), claims: Collection[Claim] = ()
) -> MonthBasis:
    """Calculate what one municipality owes for one month.

    While disputes are undecided the lowest amount counts that deciding them one after the other can give (`lowest`), starting from the
    lower of all counted and all left out, the first one when they are equal. An amount that is unknown because a price is missing stays
    unknown.

    Args:
        scene: Rule sets, prices, debtor and month.
        stays: All stays that may touch the month; those of others, cancelled or of other months are passed over. A rule set that looks
            back at the average of the month before needs the stays of that month too.
        decisions: Decided reviews.
        claims: What the debtor contests; one on a stay that is not in the month changes nothing.

    Raises:
        NoRuleInForce: No rule set was in force in the month.
        ValueError: The same stay was given twice.

    Source:
        Lag (2017:612) 5 kap.; VGR agreement 2018-09-25; domain rule 3.8, dispute.
    """
    own = sorted(
        (stay for stay in stays if stay.municipality == scene.municipality and not stay.cancelled), key=lambda stay: stay.case_id.int
    )
    if len({stay.case_id.int for stay in own}) != len(own):
        raise ValueError("one stay was given twice")
    by_stay: dict[UUID, list[ReviewDecision]] = {}
    for decision in decisions:
        by_stay.setdefault(decision.stay, []).append(decision)
    known = _Known(scene, own, by_stay, conceded(claims))
    counted = _settled(known)
    disputed = _disputed(counted, claims)
    return _meanwhile(known, counted, claims, disputed) if disputed else counted


def _meanwhile(known: "_Known", counted: MonthBasis, claims: Collection[Claim], disputed: tuple[UUID, ...]) -> MonthBasis:
    """The month until its undecided disputes are decided."""
    every = {claim.dispute for claim in claims if claim.standing is contested.Standing.UNDECIDED}
    left_out = _settled(replace(known, out=conceded(claims, every)))
    out = frozenset(disputed if counted.amount is not None else ())
    if counted.amount is not None and left_out.amount is not None:
        trial = cache(lambda: _Trial.of(known, claims))  # one dispute alone never asks for it
        out = lowest(disputed, counted.amount, left_out.amount, lambda some: trial().amount(some))
    chosen = counted if not out else left_out if out == frozenset(disputed) else _settled(replace(known, out=conceded(claims, out)))
    amounts = DisputedAmounts(counted.amount, left_out.amount, disputed, tuple(one for one in disputed if one in out))
    return replace(chosen, disputed=amounts, findings=joined_findings(chosen.findings, (counted.findings, left_out.findings)))


@dataclass(frozen=True, slots=True)
class _Known:
    """A scene with everything that is known in it: the debtor's stays, the decided reviews, and what disputes take out of each stay."""

    scene: Scene
    stays: Sequence[Stay]
    decisions: Mapping[UUID, Sequence[ReviewDecision]]
    out: Mapping[UUID, Conceded]

    def out_of(self, stay: Stay) -> Conceded:
        """What disputes take out of a stay."""
        return self.out.get(stay.case_id, NOTHING) if self.out else NOTHING


@dataclass(frozen=True, slots=True)
class _Trial:
    """A month in which decisions are tried: what no dispute touches is the same whatever is decided, and stands `beside` the rest."""

    known: _Known
    claims: Collection[Claim]
    beside: Sequence["_Placed"]
    charged_beside: Money | None

    @classmethod
    def of(cls, known: _Known, claims: Collection[Claim]) -> Self:
        """Take apart what disputes touch; where the month before decides about this one, they touch everything."""
        if any(terms.charges is Charging.NEXT_MONTH for agreement in known.scene.rules.ordered for terms in agreement.average):
            return cls(known, claims, (), ZERO)
        touched = {claim.stay for claim in claims}
        rest = replace(known, stays=[stay for stay in known.stays if stay.case_id not in touched])
        beside = _placed(rest, _seen(rest), {})
        known = replace(known, stays=[stay for stay in known.stays if stay.case_id in touched])
        return cls(known, claims, beside, _charged(beside))

    def amount(self, left_out: frozenset[UUID]) -> Money | None:
        """What the month costs with these disputes left out."""
        known = replace(self.known, out=conceded(self.claims, left_out))
        scene, seen = known.scene, _seen(known)
        base = scene.rules.on(last_day(scene.month))
        before = _before(known, base, [at for _, at in seen])
        placed = _placed(known, seen, before)
        groups, _ = _groups(scene, base, [*self.beside, *placed], before)
        return total((*(group.excess.amount for group in groups), self.charged_beside, _charged(placed)))


def _disputed(basis: MonthBasis, claims: Collection[Claim]) -> tuple[UUID, ...]:
    """The undecided disputes that the month, or an average it looks back at, can depend on."""
    undecided = [claim for claim in claims if claim.standing is contested.Standing.UNDECIDED]
    if any(group.before is not None for group in basis.groups):
        return tuple(sorted(claim.dispute for claim in undecided))
    listed = {line.stay for line in basis.lines} if undecided else set()
    return tuple(sorted(claim.dispute for claim in undecided if claim.stay in listed))


def _settled(known: _Known) -> MonthBasis:
    """The month as it is when everything known counts."""
    scene = known.scene
    month, last, complete = scene.month, last_day(scene.month), scene.complete
    base = scene.rules.on(last)
    seen = _seen(known)
    before = _before(known, base, [at for _, at in seen])
    placed = _placed(known, seen, before)
    groups, terms = _groups(scene, base, placed, before)
    horizon = last if complete or scene.as_of is None else scene.as_of
    still_open = [(stay, at) for stay, at in seen if not at.closed and at.waiting is not None and at.waiting.notice.sent_on <= horizon]
    findings = inspect(
        [Held(entry.line, entry.as_counted, entry.confirmed, terms.get(key_of(entry.at.agreement, entry.at.average))) for entry in placed],
        groups,
        silent=[stay for stay, at in still_open if complete and _is_silent(stay, at, month)],
    )
    used = {base.name: base, **{entry.at.agreement.name: entry.at.agreement for entry in placed}}
    name = " + ".join(one.name for one in sorted(used.values(), key=lambda one: (one.period.first, one.name)))
    lines = tuple(entry.line for entry in placed)
    return MonthBasis(scene.municipality, month, name, complete, lines, groups, len(still_open), findings)


@dataclass(frozen=True, slots=True)
class _Placed:
    """A stay in its month: its line, the line it would have been without any reason against it, and the reasons a person confirmed."""

    at: Standing
    line: Line
    as_counted: Line
    confirmed: frozenset[Reason]


def _charged(placed: Iterable[_Placed]) -> Money | None:
    """What stays cost by themselves."""
    return total(entry.line.amount for entry in placed if entry.line.charges)


def _groups(
    scene: Scene, base: Agreement, placed: Iterable[_Placed], before: Mapping[GroupKey, MonthBefore]
) -> tuple[tuple[AverageGroup, ...], dict[GroupKey, AverageTerms]]:
    """Every average of the month."""
    return groups_of(base, [(entry.at.agreement, entry.at.average, entry.line) for entry in placed], scene.tariffs, scene.month, before)


def _seen(known: _Known) -> list[tuple[Stay, Standing]]:
    """Every stay that was ready in the month or ended in it."""
    rules, month = known.scene.rules, known.scene.month
    standings = ((stay, standing(stay, rules, month, known.out_of(stay))) for stay in known.stays if stay.ready)
    return [(stay, at) for stay, at in standings if at is not None]


def _placed(known: _Known, seen: Iterable[tuple[Stay, Standing]], before: Mapping[GroupKey, MonthBefore]) -> list[_Placed]:
    """Every stay that ended in the month, and of those still there at its end the ones that are charged."""
    entries = [_place(known, stay, at, before) for stay, at in seen if at.closed or known.scene.complete]
    return [entry for entry in entries if entry.at.closed or entry.as_counted.charges]


def _before(known: _Known, base: Agreement, seen: Iterable[Standing]) -> dict[GroupKey, MonthBefore]:
    """The average of the month before, wherever a rule set of this month looks back at it."""
    averages = [(base, terms) for terms in base.averages_on(average_day(base, last_day(known.scene.month)))]
    averages += [(at.agreement, at.average) for at in seen if at.average is not None]
    looking = {key_of(agreement, terms): terms for agreement, terms in averages if terms.charges is Charging.NEXT_MONTH}
    if not looking:
        return {}
    then = replace(known, scene=replace(known.scene, month=known.scene.month.previous, as_of=None))
    placed = _placed(then, _seen(then), {})
    lines = [(key_of(entry.at.agreement, entry.at.average), entry.line) for entry in placed]
    return {key: month_before(then.scene.month, [line for other, line in lines if other == key], terms) for key, terms in looking.items()}


def _place(known: _Known, stay: Stay, at: Standing, before: Mapping[GroupKey, MonthBefore]) -> _Placed:
    scene, out, decisions = known.scene, known.out_of(stay), known.decisions.get(stay.case_id, ()) if known.decisions else ()
    assessment = _assess(stay, at, out, scene.month)
    earlier = before.get(key_of(at.agreement, at.average))
    triggered = earlier is not None and earlier.exceeded
    days = charged_in(stay, at, scene.rules, scene.month, out, triggered=triggered)
    as_counted = Line(
        stay.case_id,
        stay.ward,
        stay.care_type,
        _model(at, triggered=triggered),
        assessment.notes,
        0 if at.waiting is None else at.waiting.n,
        stay.admission_notice_sent_at,
        None if at.waiting is None else at.waiting.notice.sent_at,
        min(stay.invited_at, default=None),
        at.ended_on,
        price_days(days, scene.tariffs) if days else (),
        _rule(at),
        at.agreement.name,
    )
    decided = assessment.decided(decisions)
    if decided.exclusions:
        line = replace(as_counted, counted_as=CountedAs.EXCLUDED, reasons=decided.exclusions, charges=())
    elif decided.reviews:
        line = replace(as_counted, counted_as=CountedAs.REVIEW, reasons=decided.reviews, charges=())
    elif out.left_out:
        undecided = Exclusion.of(stay.case_id, Reason.DISPUTE_UNDECIDED)
        line = replace(as_counted, counted_as=CountedAs.DISPUTED, reasons=(undecided,), charges=())
    elif decided.notes is assessment.notes:
        line = as_counted
    else:
        line = replace(as_counted, reasons=decided.notes)
    return _Placed(at, line, as_counted, _confirmed(assessment, decisions) if decisions else frozenset())


def _confirmed(assessment: Assessment, decisions: Iterable[ReviewDecision]) -> frozenset[Reason]:
    """The reasons against a stay that a named person has confirmed."""
    excluding = [decision for decision in decisions if decision.outcome is ReviewOutcome.EXCLUDE]
    return frozenset(ground.reason for ground in assessment.exclusions if any(decision.is_on(ground) for decision in excluding))


def _assess(stay: Stay, at: Standing, out: Conceded, month: Month) -> Assessment:
    """The preconditions, and the reasons only the month can see: no rule in force, a patient nobody has heard of, and disputes."""
    assessment = assess(stay, at.waiting, at.switches, at.agreement.statute)
    if at.care is None:
        assessment = assessment.excluded(Exclusion.of(stay.case_id, Reason.AGREEMENT_NOT_IN_FORCE))
    if out.upheld:
        assessment = assessment.excluded(Exclusion.of(stay.case_id, Reason.DISPUTE_UPHELD))
    if out.undecided:
        assessment = replace(assessment, notes=(*assessment.notes, Exclusion.of(stay.case_id, Reason.DISPUTE_UNDECIDED)))
    if not at.closed and _is_silent(stay, at, month):
        facts = facts_of(stay, Reason.NO_SIGN_OF_LIFE, at.waiting, month)
        assessment = replace(assessment, reviews=(*assessment.reviews, Exclusion.of(stay.case_id, Reason.NO_SIGN_OF_LIFE, facts)))
    return assessment


def _is_silent(stay: Stay, at: Standing, month: Month) -> bool:
    """Whether nothing was heard of a patient for so long before the month ended that a forgotten discharge is likely."""
    if stay.last_sign_of_life_at is None:
        return False
    return local_date(stay.last_sign_of_life_at) < month.next.first - timedelta(days=at.switches.silent_after_days)


def _model(at: Standing, *, triggered: bool) -> CountedAs:
    if triggered or (at.care is not None and at.care.model is Model.INDIVIDUAL):
        return CountedAs.INDIVIDUAL
    return CountedAs.LONG if at.long else CountedAs.AVERAGE


def _rule(at: Standing) -> str:
    if at.care is None:
        return ""
    return at.care.source if at.average is None else at.average.source
