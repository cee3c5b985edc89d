"""ADT messages as a ward system writes them; every person lies inside Skatteverket's published test series."""

from datetime import date, datetime, timedelta
from typing import Final

import hl7
from stdnum import luhn

from services.planning.adapters.person_ids import kind_by_oid
from shared.dates import stockholm
from tests.builders import CARE_CENTRE, WARD, a_personnummer

PERSONNUMMER, RESERVNUMMER = "1.2.752.129.2.1.3.1", "1.2.752.113.11.0.2.1.1.1"
STAY: Final = "SU-2026-000777"
NEEDS: Final = f"ZNE|municipal_social~municipal_health~outpatient|{CARE_CENTRE}|somatic"
assert kind_by_oid(RESERVNUMMER) == "reservnummer"


def a_reservnummer(number: int = 0) -> str:
    """VGR's own number for somebody without another; nobody was born so early who could have it still."""
    born = date(1890, 1, 1) + timedelta(days=number % 7304)
    stem = f"{born:%Y%m%d}"
    return f"{stem}M07{luhn.calc_check_digit(f'{stem[2:]}707')}"


def at(when: datetime) -> str:
    """A time as HL7 writes it, on a Swedish clock and without an offset."""
    return f"{stockholm(when):%Y%m%d%H%M%S}"


def msh(
    trigger: str,
    control_id: str,
    *,
    kind: str = "ADT",
    processing: str = "P",
    version: str = "2.5",
    receiver: str = "DIRIGENT",
    more: str = "",
) -> str:
    """A header; `more` comes after all that is read of it."""
    begin = (
        f"MSH|^~\\&|MILLENNIUM|SU|{receiver}||20261103140612||{kind}^{trigger}|{control_id}|{processing}|{version}|||||SWE|UNICODE UTF-8"
    )
    return f"{begin}|{more}" if more else begin


def pid(number: str = "", oid: str = PERSONNUMMER, *, name: str = "Testsson^Test", address: str = "", municipality: str = "1480") -> str:
    """A patient."""
    where = address or f"Testgatan 1^^Göteborg^^411 01^^L^^{municipality}"
    return f"PID|1||{number or a_personnummer()}^^^&{oid}&ISO||{name}||||||{where}"


def pv1(ward: str = WARD, *, stay: str = STAY, before: str = "", disposition: str = "", other: str = "", patient_class: str = "I") -> str:
    """A stay."""
    fields = {2: patient_class, 3: ward, 6: before, 19: stay, 36: disposition, 50: other}
    return "|".join(["PV1", *(fields.get(number, "") for number in range(1, 51))]).rstrip("|")


def pv2(*, planned: str = "", back: str = "") -> str:
    """More of a stay."""
    fields = {9: planned, 47: back}
    return "|".join(["PV2", *(fields.get(number, "") for number in range(1, 48))]).rstrip("|")


def message(trigger: str, control_id: str, *segments: str, when: str = "20261103140500", **header: str) -> bytes:
    """One message with its event's time."""
    evn = f"EVN||20261103140612||||{when}"
    return ("\r".join([msh(trigger, control_id, **header), evn, *segments]) + "\r").encode()


def admission(
    control_id: str = "A-1", *, when: str = "20261103140500", stay: str = STAY, number: str = "", oid: str = PERSONNUMMER
) -> bytes:
    """An admission with all needs."""
    return message("A01", control_id, pid(number, oid), pv1(stay=stay), pv2(planned="20261109"), NEEDS, when=when)


def answer_of(body: bytes) -> tuple[str, list[tuple[str, str, str]]]:
    """What an acknowledgement says: its code, and of each ERR the place, HL7's condition and our code."""
    ack = hl7.parse(body.decode())
    remarks = []
    for line in ack:
        if str(line[0]) == "ERR":
            where = str(line[2]).split("^")
            remarks.append(("-".join([where[0], *where[2:]]), str(line[3]).split("^")[0], str(line[5])))
    return str(ack.segment("MSA")[1]), remarks
