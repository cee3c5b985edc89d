"""Whether the admission notice came in time, for each party by itself."""

from services.planning.domain.case import CaseState
from services.planning.domain.events import CaseEvent
from services.planning.domain.findings import FindingCode
from services.planning.domain.fold import fold
from services.planning.domain.lateness import judge_admission_notices
from services.planning.statute import load_statute
from tests.builders import DIRECTORY, HARRYDA, admitted


def case_of(*events: CaseEvent) -> CaseState:
    return judge_admission_notices(fold(events, DIRECTORY), load_statute())


def found(*events: CaseEvent) -> list[tuple[str, str]]:
    return [(finding.code.value, finding.event.id) for finding in case_of(*events).findings]


def test_an_admission_notice_may_come_24_hours_after_the_admission_and_no_later() -> None:
    assert found(admitted(sent=24)) == []
    late = found(admitted(sent=24.001))
    assert late == [("late_admission_notice", "admitted"), ("late_admission_notice", "admitted")]


def test_an_admission_notice_may_come_24_hours_after_a_later_judgement() -> None:
    assert found(admitted(sent=30, judged_at=6)) == []
    assert found(admitted(sent=30.1, judged_at=6)) != []


def test_a_late_admission_notice_names_the_party_it_was_late_for() -> None:
    moved = admitted("fix", 0, sent=48, corrects="admitted", municipality=HARRYDA)
    late = [finding for finding in case_of(admitted(), moved).findings if finding.code is FindingCode.LATE_ADMISSION_NOTICE]
    assert [finding.about for finding in late] == [HARRYDA]
