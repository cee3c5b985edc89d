"""A stay read back from the ledger has every member of the fact that was kept, without a model being built."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import msgspec
import pytest
from pydantic import BaseModel

from services.billing.repository.kept import kept_stay
from services.billing.translation import stay_of
from shared.events.facts import StayChanged
from shared.events.stay_parts import (
    DeclinedStated,
    OnLeave,
    OtherMunicipality,
    OutpatientBlock,
    Placed,
    ReadyNotice,
    Registered,
    Transferred,
)
from shared.identifiers import uuid7

START = datetime(2026, 3, 1, 8, 30, 0, 123456, tzinfo=UTC)


def a_fact(random: Random) -> StayChanged:
    """Anything that the fact allows, sensible or not."""

    def at() -> datetime:
        return START + timedelta(minutes=random.randint(0, 90_000), microseconds=random.choice((0, 0, 7)))

    def some(make: Any) -> Any:
        return tuple(make() for _ in range(random.choice((0, 0, 1, 2))))

    def perhaps(make: Any) -> Any:
        return make() if random.random() < 0.6 else None

    def a_ready() -> ReadyNotice:
        return ReadyNotice(
            notice_sent_at=at(),
            ready_at=at(),
            withdrawn_at=perhaps(at),
            compulsory=random.choice(("none", "opt", "orv")),
            paper=random.choice(("none", "unconfirmed")),
            given_on_paper_at=perhaps(at),
        )

    return StayChanged(
        case_id=uuid7(),
        case_version=random.randint(1, 99),
        provider="2321000131",
        ward="SE2321000131-E000000000101",
        care_type=random.choice(("somatic", "psychiatric")),
        admitted_at=perhaps(at),
        municipality=random.choice((None, "1480", "1481")),
        need_judged_at=perhaps(at),
        admission_notice_sent_at=perhaps(at),
        ready=some(a_ready),
        sip_required=random.random() < 0.5,
        discharged_at=perhaps(at),
        deceased_at=perhaps(at),
        cancelled=random.random() < 0.1,
        findings=some(lambda: 'å ä ö " \\'),
        last_sign_of_life_at=perhaps(at),
        transfers=some(lambda: Transferred(transferred_at=at(), from_ward="a", to_ward="b")),
        leaves=some(lambda: OnLeave(started_at=at(), ended_at=perhaps(at))),
        outpatient_blocks=some(
            lambda: OutpatientBlock(started_at=at(), ended_at=perhaps(at), block="missing", stated_at=at(), stated_by="x")
        ),
        residences=some(lambda: Registered(municipality=perhaps(lambda: "1480"), since=perhaps(at))),
        placements=some(lambda: Placed(municipality="1490", decision_date=date(2026, 2, 28), stated_at=at(), stated_by="y")),
        joined_cases=some(uuid7),
        municipal_needs=random.choice(((), ("municipal_social",))),
        other_municipalities=some(lambda: OtherMunicipality(municipality="1481", admission_notice_sent_at=at(), ready=some(a_ready))),
        admission_notice_paper=random.choice(("none", "counted")),
        admission_notice_given_on_paper_at=perhaps(at),
        declined=some(
            lambda: DeclinedStated(decline_id=uuid7(), measures=("municipal_health",), declined_at=at(), stated_at=at(), stated_by="z")
        ),
        sip_contested=random.random() < 0.1,
    )


def same(kept: Any, fact: Any) -> bool:
    """Whether both have the same members, each of the same type, all the way down."""
    if isinstance(fact, BaseModel):
        return all(same(getattr(kept, name), getattr(fact, name)) for name in type(fact).model_fields)
    if isinstance(fact, tuple):
        return isinstance(kept, tuple) and len(kept) == len(fact) and all(map(same, kept, fact))
    return type(kept) is type(fact) and bool(kept == fact)


def test_every_member_comes_back_as_it_was_kept() -> None:
    random = Random(4)
    for _ in range(500):
        fact = a_fact(random)
        kept = kept_stay(fact.model_dump_json())
        assert same(kept, fact)
        assert stay_of(kept) == stay_of(fact)


def test_a_body_of_an_older_version_reads_with_what_it_did_not_say_yet() -> None:
    fact = a_fact(Random(1)).model_copy(update={"declined": (), "sip_contested": False})
    assert same(kept_stay(fact.model_dump_json(exclude={"declined", "sip_contested"})), fact)


def test_a_body_that_lacks_what_it_must_have_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        kept_stay('{"case_version":1}')
