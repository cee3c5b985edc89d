"""Whether the admission notice came in time, for each party by itself."""

from datetime import timedelta

from services.planning.domain.case import CaseState
from services.planning.domain.events import CaseEvent
from services.planning.domain.findings import FindingCode
from services.planning.domain.fold import fold
from services.planning.domain.lateness import judge_admission_notices, judge_discharge_notice
from services.planning.statute import load_statute
from shared.dates import local_date, start_of_day
from tests.builders import DIRECTORY, HARRYDA, admitted, discharged, hours, ready


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


def test_a_discharge_notice_is_sent_on_the_day_of_the_discharge_whatever_the_hour() -> None:
    def of(sent: float) -> list[str]:
        state = fold([admitted(), ready(), discharged(at=60, sent=sent)], DIRECTORY)
        return [finding.code.value for finding in judge_discharge_notice(state, load_statute()).findings]

    midnight = (start_of_day(local_date(hours(60)) + timedelta(days=1)) - hours(0)) / timedelta(hours=1)
    assert of(midnight - 0.01) == []
    assert of(midnight) == ["late_discharge_notice"]


def test_where_nobody_is_concerned_no_discharge_notice_is_late() -> None:
    state = fold([admitted(needs=[]), discharged(at=60, sent=200)], DIRECTORY)
    assert "late_discharge_notice" not in [finding.code.value for finding in judge_discharge_notice(state, load_statute()).findings]
