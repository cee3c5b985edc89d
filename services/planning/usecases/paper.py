"""The paper list (reservrutin): the open cases of a ward as a page to print, for the hours when the service or the network is down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any, Final

from services.planning.repository import paper as rows
from services.planning.usecases import accesses
from shared.dates import stockholm
from shared.db import Work
from shared.http.auth import Caller

MOST_CASES: Final = 1_000
_HEAD: Final = (
    "Patient",
    "Personnummer",
    "Avdelning",
    "Läge",
    "Beräknad utskrivning",
    "Utskrivningsklar",
    "Parter och planering",
    "Fast vårdkontakt",
)
_STATES: Final[Mapping[str, str]] = {"admitted": "inskriven", "planning": "planering pågår", "ready": "utskrivningsklar"}
_STATUSES: Final[Mapping[str, str]] = {
    "received": "mottaget",
    "assessing": "bedömer",
    "ready_from": "kan ta emot",
    "needs": "behöver något",
    "no_measures": "inga insatser",
}
_STYLE: Final = (
    "@page{size:A4 landscape;margin:12mm}body{font:11pt sans-serif}table{border-collapse:collapse;width:100%}"
    "th,td{border:1px solid #000;padding:2mm;text-align:left;vertical-align:top}thead{display:table-header-group}tr{break-inside:avoid}"
)


@dataclass(frozen=True, slots=True)
class PaperPage:
    """One printable page: whose, in which file of the folder, and its HTML. The first page of the folder is nobody's."""

    ward: str | None
    file: str
    html: str


async def paper_list(work: Work, caller: Caller, *, request_id: str) -> str:
    """The caller's open cases as a page to print; persons whose identity is protected are not named on it.

    Source:
        Lag (2017:612) 2 kap. 1 §, 3 kap. 1 §: notices are due whether or not the service can be reached.
    """
    found = await rows.open_of_caller(work, caller, MOST_CASES)
    await accesses.note(work, caller, "cases.paper", [row.id for row in found], request_id=request_id)
    return _page("Pågående ärenden", found, work.at)


async def paper_pages(work: Work) -> list[PaperPage]:
    """The same list for every ward that has open cases, to be laid where the wards find it without us; the reading is logged.

    Before them a page that names no patient: which ward's list is in which file.
    """
    found = await rows.open_of_all(work)
    by_ward: dict[str, list[Any]] = {}
    for row in found:
        by_ward.setdefault(row.ward, []).append(row)
    for ward, cases in by_ward.items():
        itself = Caller("planning-worker", ward[2:12], (ward,), frozenset(), "ward")
        await accesses.note(work, itself, "cases.paper", [row.id for row in cases], request_id="hourly", unit=ward)
    names = {ward: f"{cases[0].ward_name or ''} {ward}".strip() for ward, cases in by_ward.items()}
    pages = [
        PaperPage(ward, f"{ward}.html", _page(f"Pågående ärenden, {names[ward]}", cases, work.at))
        for ward, cases in sorted(by_ward.items())
    ]
    return [PaperPage(None, "index.html", _index(names, work.at)), *pages]


def _index(names: Mapping[str, str], at: datetime) -> str:
    """Which ward's list is in which file, by name: whoever looks for one at night knows the ward's name, not its id."""
    wards = "".join(f'<li><a href="{escape(ward)}.html">{escape(name)}</a></li>' for ward, name in sorted(names.items(), key=_by_name))
    return (
        f'<!DOCTYPE html><html lang="sv"><head><meta charset="utf-8"><title>Reservlistor</title><style>{_STYLE}</style></head>'
        f"<body><h1>Reservlistor</h1><p>Uttagna {_clock(at)}. En avdelning som saknas här har inga pågående ärenden.</p>"
        f"<ul>{wards}</ul></body></html>"
    )


def _by_name(named: tuple[str, str]) -> str:
    return named[1].casefold()


def _page(title: str, found: Sequence[Any], at: datetime) -> str:  # rows
    head = "".join(f"<th>{name}</th>" for name in _HEAD)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in _cells(row))}</tr>" for row in found)
    return (
        f'<!DOCTYPE html><html lang="sv"><head><meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style></head>'
        f"<body><h1>{escape(title)}</h1><p>Uttagen {_clock(at)}. {len(found)} ärenden. Innehåller uppgifter som omfattas av sekretess.</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></body></html>"
    )


def _cells(row: Any) -> list[str]:  # a row
    ready = row.ready_sent_at if row.state == "ready" and row.withdrawn_at is None else None
    told = [f"{one['unit']}: {_told(one)}" for one in row.statuses or []]
    waiting = [party for party in row.parties if party not in {one["recipient"] for one in row.statuses or []}]
    return [
        *_person(row.person),
        escape(row.ward),
        _STATES[row.state],
        escape(row.planned_discharge_date or ""),
        "" if ready is None else _clock(datetime.fromisoformat(ready)),
        "<br>".join(map(escape, [*told, *(f"{party}: –" for party in waiting)])),
        escape(" ".join(part for part in (row.contact_name, row.contact_phone) if part)),
    ]


def _person(person: Mapping[str, Any] | None) -> tuple[str, str]:
    if person is None or "id" not in person:
        return "Skyddade personuppgifter", ""
    name = person.get("name") or {}
    return escape(f"{name.get('given', '')} {name.get('family', '')}".strip()), escape(str(person["id"]))


def _told(status: Mapping[str, Any]) -> str:
    since = "" if status["ready_from"] is None else f" {_clock(datetime.fromisoformat(status['ready_from']))}"
    return _STATUSES[status["status"]] + since


def _clock(at: datetime) -> str:
    return f"{stockholm(at):%Y-%m-%d %H:%M}"
