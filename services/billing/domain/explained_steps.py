"""How the amount of a month comes about, sentence by sentence, in both languages and with the values each sentence rests on."""

from collections.abc import Iterator, Mapping
from fractions import Fraction

from services.billing.domain.basis import COUNTED, AverageGroup, CountedAs, Line, MonthBasis, PricedDays
from services.billing.domain.identity import Json, decimal_text, money_text
from services.billing.domain.month import MonthInputs
from services.billing.domain.wording import CARE_TYPES, COUNTED_AS, Words, days, kronor, number, span, stays


def steps_of(inputs: MonthInputs, basis: MonthBasis) -> Iterator[Json]:
    """Every step from the stays of a month to its amount.

    Source:
        Domain rules 3.3, 3.4 and 3.8.
    """
    titles = {one.name: Words(one.title_sv or one.title, one.title) for one in inputs.book.agreements}
    swedish = inputs.book.in_swedish()
    for name in sorted({line.agreement for line in basis.lines} | {group.agreement for group in basis.groups}):
        title = titles.get(name, Words(name, name))
        told = Words(f"Regelverk: {title.sv} ({name}).", f"Rule set: {title.en} ({name}).")
        yield _step("rule_set", told, {"agreement": name, "title": title.en})
    yield _stays_counted(basis)
    for group in basis.groups:
        yield from _average(group, swedish)
    for line in basis.lines:
        for part in line.charges:
            yield _charge(line, part, swedish)
    if basis.disputed is not None:
        yield _disputed(basis)
    yield _total(basis)


def _stays_counted(basis: MonthBasis) -> Json:
    """E, what was left out of it, and patients still in hospital."""
    left_out = {one: sum(1 for line in basis.lines if line.counted_as is one) for one in CountedAs if one not in COUNTED}
    sv = [f"{stays(basis.stays).sv} som avslutades i månaden räknas"]
    en = [f"{stays(basis.stays).en} that ended in the month {'is' if basis.stays == 1 else 'are'} counted"]
    for how, count in left_out.items():
        if count:
            sv.append(f"{count} {COUNTED_AS[how].sv}")
            en.append(f"{count} {COUNTED_AS[how].en}")
    if basis.open_stays:
        one = basis.open_stays == 1
        sv.append(f"{basis.open_stays} {'patient' if one else 'patienter'} var kvar i slutenvård")
        en.append(f"{basis.open_stays} {'patient was' if one else 'patients were'} still in hospital")
    values: dict[str, Json] = {"stays": basis.stays, "open_stays": basis.open_stays, "complete": basis.complete}
    values |= {how.value: count for how, count in left_out.items()}
    return _step("stays_counted", Words("; ".join(sv) + ".", "; ".join(en) + "."), values)


def _average(group: AverageGroup, swedish: Mapping[str, str]) -> Iterator[Json]:
    """R, its average, and what lies above what is free."""
    if group.average is None:
        yield _step(
            "average_empty",
            Words(f"Inget vårdtillfälle ingår i genomsnittet ({_care(group).sv}).", f"No stay is in the average ({_care(group).en})."),
            {"agreement": group.agreement, "in_average": 0},
        )
        return
    allowed = days(group.threshold)
    threshold, shown = number(group.threshold), _quotient(group.sum_days, group.in_average)
    yield _step(
        "average",
        Words(
            f"{stays(group.in_average).sv} i genomsnittet ({_care(group).sv}) väntade tillsammans {days(Fraction(group.sum_days)).sv}: "
            f"genomsnittet är {shown.sv}.",
            f"{stays(group.in_average).en} in the average ({_care(group).en}) waited {days(Fraction(group.sum_days)).en} together: "
            f"the average is {shown.en}.",
        ),
        {
            "agreement": group.agreement,
            "care_types": [one.value for one in group.care_types],
            "in_average": group.in_average,
            "sum_days": group.sum_days,
            "average": str(group.average),
            "average_shown": decimal_text(group.average),
            "cases": [str(one) for one in group.stays],
            "rule": group.source,
        },
    )
    values: dict[str, Json] = {"threshold": str(group.threshold), "excess_days": str(group.excess.days), "rule": group.source}
    if group.before is not None:
        yield _month_before(group)
    if not group.excess.days:
        free = group.average <= group.threshold
        yield _step(
            "average_free" if free else "average_not_charged",
            Words(
                f"Ett genomsnitt på högst {allowed.sv} är fritt: inga dagar debiteras.",
                f"An average of up to {allowed.en} is free: no days are charged.",
            )
            if free
            else Words("Genomsnittet debiteras inte enligt regelverket.", "The rule set does not charge the average."),
            values,
        )
        return
    free_days, over = number(group.threshold * group.in_average), days(group.excess.days)
    sv = f"{group.sum_days} − {threshold.sv} × {group.in_average} = {group.sum_days} − {free_days.sv}"
    en = f"{group.sum_days} − {threshold.en} × {group.in_average} = {group.sum_days} − {free_days.en}"
    yield _step(
        "excess_days",
        Words(
            f"Det som överstiger {allowed.sv} per vårdtillfälle debiteras: {sv}, alltså {over.sv}.",
            f"What exceeds {allowed.en} per stay is charged: {en}, that is {over.en}.",
        ),
        values,
    )
    yield _step("excess_price", _priced(group.excess, swedish), _priced_values(group.excess))


def _quotient(total: int, count: int) -> Words:
    """A division and what it gives, nearly where no short decimal number does."""
    exact = number(Fraction(total, count))
    if "/" not in exact.en:
        return Words(f"{total}/{count} = {exact.sv}", f"{total}/{count} = {exact.en}")
    shown = decimal_text(Fraction(total, count))
    sign = "=" if Fraction(shown) == Fraction(total, count) else "≈"
    shown = shown.rstrip("0")
    return Words(f"{total}/{count} {sign} {shown.replace('.', ',')}", f"{total}/{count} {sign} {shown}")


def _month_before(group: AverageGroup) -> Json:
    before = group.before
    if before is None:
        raise ValueError("there is no month before")
    shown = f"{before.sum_days}/{before.in_average}" if before.in_average else "–"
    told = (
        Words("över gränsen, varje vårdtillfälle debiteras för sig", "above the limit, every stay is charged by itself")
        if before.exceeded
        else Words("inte över gränsen, inget debiteras", "not above the limit, nothing is charged")
    )
    return _step(
        "month_before",
        Words(
            f"Månaden före, {before.month}, var genomsnittet {shown}: {told.sv}.", f"In {before.month} the average was {shown}: {told.en}."
        ),
        {"month": str(before.month), "in_average": before.in_average, "sum_days": before.sum_days, "exceeded": before.exceeded},
    )


def _charge(line: Line, part: PricedDays, swedish: Mapping[str, str]) -> Json:
    """Days of one stay that are charged by themselves."""
    priced, how = _priced(part, swedish), COUNTED_AS[line.counted_as]
    waited = days(Fraction(line.days))
    return _step(
        "stay_charged",
        Words(
            f"Vårdtillfälle {line.stay} ({how.sv}) väntade {waited.sv}; {span(part.first, part.last)}: {priced.sv}",
            f"Stay {line.stay} ({how.en}) waited {waited.en}; {span(part.first, part.last)}: {priced.en}",
        ),
        {
            "case": str(line.stay),
            "counted_as": line.counted_as.value,
            "waiting_days": line.days,
            "rule": line.rule,
            **_priced_values(part),
        },
    )


def _priced(part: PricedDays, swedish: Mapping[str, str]) -> Words:
    told = days(part.days)
    if part.price is None or part.amount is None:
        return Words(f"{told.sv}, men priset saknas.", f"{told.en}, but the price is missing.")
    price, amount = kronor(part.price), kronor(part.amount)
    return Words(
        f"{told.sv} × {price.sv} = {amount.sv} ({swedish.get(part.source, part.source)}).",
        f"{told.en} × {price.en} = {amount.en} ({part.source}).",
    )


def _priced_values(part: PricedDays) -> dict[str, Json]:
    return {
        "first": part.first.isoformat(),
        "last": part.last.isoformat(),
        "days": str(part.days),
        "price": money_text(part.price),
        "price_source": part.source,
        "amount": money_text(part.amount),
    }


def _disputed(basis: MonthBasis) -> Json:
    disputed = basis.disputed
    if disputed is None:
        raise ValueError("nothing is contested")
    counted, left_out = money_text(disputed.counted), money_text(disputed.left_out)
    if disputed.counted is None or disputed.left_out is None:
        words = Words("Tvister är inte avgjorda, och ett pris saknas.", "Disputes are not decided, and a price is missing.")
    else:
        with_sv, with_en = kronor(disputed.counted).sv, kronor(disputed.counted).en
        some, total = len(disputed.claims_left_out), len(disputed.claims)
        words = Words(
            f"Tvister är inte avgjorda: {with_sv} om allt tvistigt räknas, {kronor(disputed.left_out).sv} om inget av det räknas. "
            f"Tills de är avgjorda räknas {some} av {total} inte, vilket ger det lägsta beloppet.",
            f"Disputes are not decided: {with_en} if all that is contested counts, {kronor(disputed.left_out).en} if none of it does. "
            f"Until they are decided {some} of {total} do not count, which gives the lowest amount.",
        )
    values: dict[str, Json] = {"counted": counted, "left_out": left_out, "claims": [str(one) for one in disputed.claims]}
    values["claims_left_out"] = [str(one) for one in sorted(disputed.claims_left_out)]
    return _step("disputed", words, values)


def _total(basis: MonthBasis) -> Json:
    values: dict[str, Json] = {"amount": money_text(basis.amount), "excess_days": str(basis.excess_days)}
    values["individual_days"] = basis.individual_days
    if basis.amount is None:
        return _step("total", Words("Beloppet är inte känt: ett pris saknas.", "The amount is not known: a price is missing."), values)
    amount = kronor(basis.amount)
    return _step("total", Words(f"Månadens belopp: {amount.sv}.", f"The month comes to {amount.en}."), values)


def _care(group: AverageGroup) -> Words:
    return Words(" och ".join(CARE_TYPES[one].sv for one in group.care_types), " and ".join(CARE_TYPES[one].en for one in group.care_types))


def _step(code: str, words: Words, values: dict[str, Json]) -> Json:
    return {"code": code, "sv": words.sv, "en": words.en, "values": values}
