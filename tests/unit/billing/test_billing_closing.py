"""The states of a month and the meaning of silence (domain 3.8)."""

import json
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from services.billing.domain.basis import MonthBasis
from services.billing.domain.closing import CLOSED, TRANSITIONS, MonthAction, MonthState, Silence, silence
from services.billing.domain.identity import canonical_json, fingerprint
from services.billing.domain.invoice import Issue, Issuer, Party, Sides, invoice_content
from services.billing.translation import stay_of
from shared.events.facts import StayChanged
from shared.events.stay_parts import ReadyNotice
from tests.unit.billing.builders import a_stay, month_of

PUBLISHED = datetime(2026, 4, 2, 8, tzinfo=UTC)
WINDOW, WITHIN = timedelta(days=30), timedelta(days=7)
ISSUE = Issue("2026-000001", datetime(2026, 12, 31, 23, 30, tzinfo=UTC), 1, "0" * 64, "Attestant")
SIDES = Sides(Issuer("2321000131", "Regionen", 30), Party("1480", "Göteborg", "2120001355"))


def test_no_state_leads_back_but_by_preparing_again() -> None:
    order = list(MonthState)
    for (state, action), after in TRANSITIONS.items():
        assert order.index(after) > order.index(state) or action is MonthAction.PREPARE
    assert {state for state, _ in TRANSITIONS} == set(MonthState)


def test_what_is_issued_moves_only_by_being_paid_or_by_a_correction_that_starts_from_the_beginning() -> None:
    ways = {(state, action): after for (state, action), after in TRANSITIONS.items() if state in CLOSED}
    assert ways == {
        (MonthState.ISSUED, MonthAction.SETTLE): MonthState.SETTLED,
        (MonthState.ISSUED, MonthAction.PREPARE): MonthState.PREPARED,
        (MonthState.SETTLED, MonthAction.PREPARE): MonthState.PREPARED,
    }


def test_the_only_ways_to_acceptance_are_signature_silence_and_a_correction_that_takes_nothing() -> None:
    ways = {key for key in product(MonthState, MonthAction) if TRANSITIONS.get(key) is MonthState.ACCEPTED}
    assert ways == {
        (MonthState.PUBLISHED, action) for action in (MonthAction.SIGN, MonthAction.RECORD, MonthAction.LAPSE, MonthAction.CONCEDE)
    }


@pytest.mark.parametrize(
    ("entered", "polled", "at", "meaning"),
    [
        (None, PUBLISHED, PUBLISHED + WINDOW, Silence.NOT_DELIVERED),
        (PUBLISHED, PUBLISHED + WINDOW, PUBLISHED + WINDOW - timedelta(seconds=1), Silence.WINDOW_OPEN),
        (PUBLISHED, PUBLISHED + WINDOW, PUBLISHED + WINDOW, Silence.ACCEPTS),
        (PUBLISHED, None, PUBLISHED + WINDOW, Silence.MAILBOX_UNREAD),
        (PUBLISHED, PUBLISHED + WINDOW - WITHIN, PUBLISHED + WINDOW, Silence.ACCEPTS),
        (PUBLISHED, PUBLISHED + WINDOW - WITHIN - timedelta(seconds=1), PUBLISHED + WINDOW, Silence.MAILBOX_UNREAD),
    ],
)
def test_silence_is_a_yes_only_after_the_window_in_a_mailbox_that_is_read(
    entered: datetime | None, polled: datetime | None, at: datetime, meaning: Silence
) -> None:
    assert silence(entered, polled, at, window=WINDOW, polled_within=WITHIN) is meaning


def an_invoice(basis: MonthBasis) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(canonical_json(invoice_content(basis, ISSUE, SIDES)))
    return content


def test_an_invoice_s_lines_add_up_and_every_stay_of_the_average_is_named() -> None:
    average = an_invoice(month_of([a_stay(days) for days in (2, 5, 6, 7)]))
    assert [(line["days"], len(line["stays"])) for line in average["lines"]] == [(8, 4)]
    over_new_year = a_stay(ready="2019-12-28T10:00", discharged="2020-01-05T10:00")
    individual = an_invoice(month_of([over_new_year], month="2020-01"))
    assert [line["days"] for line in individual["lines"]] == [1, 4]
    assert individual["amount"] == {"amount": "40600.00", "currency": "SEK"}


def test_an_invoice_issued_at_new_year_s_midnight_bears_the_swedish_date() -> None:
    content = an_invoice(month_of([a_stay(12)]))
    assert (content["issued_on"], content["due_on"]) == ("2027-01-01", "2027-01-31")


@pytest.mark.parametrize("days", [0, 3])
def test_a_month_without_an_amount_is_no_invoice(days: int) -> None:
    with pytest.raises(ValueError, match="add up"):
        invoice_content(month_of([a_stay(days)]), ISSUE, SIDES)


def test_a_fact_with_offsets_becomes_the_same_stay_as_one_in_utc() -> None:
    told = {"case_id": "01890a5d-ac96-774b-bcce-b302099a8057", "case_version": 1, "provider": "2321000131", "ward": "SE2321000131-E1"}
    told |= {"care_type": "somatic", "municipality": "1480", "admitted_at": "2020-03-01T10:00:00+01:00"}
    told |= {"admission_notice_sent_at": "2020-03-01T11:00:00+01:00", "discharged_at": "2020-03-20T10:00:00+01:00"}
    ready = ReadyNotice.model_validate({"notice_sent_at": "2020-03-15T09:00:00+01:00", "ready_at": "2020-03-15T09:00:00+01:00"})
    offset = StayChanged.model_validate(told | {"ready": (ready,)})
    utc = StayChanged.model_validate_json(offset.model_dump_json())
    assert stay_of(offset) == stay_of(utc)
    assert stay_of(offset).need_judged_at == datetime(2020, 3, 1, 9, tzinfo=UTC)
    assert fingerprint(month_of([stay_of(offset)])) == fingerprint(month_of([stay_of(utc)]))
