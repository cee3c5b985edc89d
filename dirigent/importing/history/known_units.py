"""What the running system's directory knows: which units there are, and who has a mailbox."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import httpx

from dirigent.importing.history.stay import Stay
from dirigent.replay.api import PublicApi
from services.planning.domain.case import CaseState
from services.planning.domain.fold import fold
from services.planning.domain.lateness import judge_admission_notices, judge_discharge_notice
from services.planning.domain.parties import Directory, Recipient, Standing
from services.planning.statute import load_statute
from services.planning.translation import case_event
from shared.dates import parse_day, parse_instant

_PAGE: Final = 1_000


class Found(NamedTuple):
    """Something that does not fit, which stops nothing."""

    code: str
    line: int


@dataclass(frozen=True, slots=True)
class KnownUnits:
    """The directory as far as stays are checked against it."""

    units: frozenset[str]
    reachable: frozenset[str]
    """Units that have a mailbox, or lead a team."""
    directory: Directory

    def uncalled(self, stay: Stay) -> bool:
        """Whether a unit that was called to a SIP cannot be written to: then the invitation cannot be told, nor the row be taken in."""
        return not self.reachable.issuperset(stay.called)

    def findings(self, stay: Stay) -> Iterator[Found]:
        """Units that the directory does not know; a municipality or care unit without a mailbox is a finding of the fold."""
        for column, unit in stay.units.items():
            if unit not in self.units and column != "outpatient_unit":
                code = "ward_unknown" if "ward" in column else f"{column}_unknown"
                yield Found(code, stay.line)

    def rehearse(self, stay: Stay) -> CaseState:
        """The case that the row's events make, by the very rules that will make it."""
        events = [case_event(event.value, parse_instant(event.value["sentat"])) for event in stay.events]
        return judge_discharge_notice(judge_admission_notices(fold(events, self.directory), load_statute()), load_statute())


async def known_units(api: PublicApi, client: str) -> KnownUnits | None:
    """Read the directory page by page; none when the client may not read it."""
    organisations = await api.call(client, "GET", "/v1/organisations")
    if organisations.status == httpx.codes.FORBIDDEN:
        return None
    owners = {one["number"]: _standing(one) for one in organisations.body["organisations"]}
    units: set[str] = set()
    reachable: set[str] = set()
    standing: dict[Recipient, tuple[Standing, ...]] = {}
    page: list[dict[str, Any]] = []
    while not page or len(page) == _PAGE:
        further = {"after": page[-1]["hsa_id"]} if page else {}
        page = (await api.call(client, "GET", "/v1/units", params={"limit": _PAGE} | further)).body["units"]
        for unit in page:
            units.add(unit["hsa_id"])
            if unit["mailboxes"] or unit["members"]:
                reachable.add(unit["hsa_id"])
            days = _both(_standing(unit), owners[unit["organisation"]])
            for name in {_recipient(box["recipient"]) for box in unit["mailboxes"]}:
                standing[name] = (*standing.get(name, ()), days)
        if not page:
            break
    return KnownUnits(frozenset(units), frozenset(reachable), Directory(frozenset(standing), standing))


def _standing(told: Mapping[str, Any]) -> Standing:
    first, last = (None if told[name] is None else parse_day(told[name]) for name in ("valid_from", "valid_to"))
    return Standing(first, last)


def _both(unit: Standing, owner: Standing) -> Standing:
    """The days on which a unit and its organisation both stand."""
    first = max((day for day in (unit.first, owner.first) if day), default=None)
    return Standing(first, min((day for day in (unit.last, owner.last) if day), default=None))


def _recipient(name: str) -> Recipient:
    kind, _, code = name.partition(":")
    return Recipient("municipality" if kind == "municipality" else "unit", code)
