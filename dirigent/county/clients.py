"""The clients the demo creates: one per ward system, municipality, care centre and office, with the scopes of their role."""

from dataclasses import dataclass
from typing import Final, Literal

from dirigent.county.model import County

Role = Literal["ward", "history", "municipality", "care", "finance", "controller", "approver", "auditor"]

SCOPES: Final[dict[Role, tuple[str, ...]]] = {
    "ward": (
        "events:write",
        "cases:read",
        "cases:write",
        "notices:read",
        "notices:acknowledge",
        "subscriptions:write",
        "consents:write",
        "deviations:write",
    ),
    "history": ("events:import", "plans:write", "cases:write"),
    "municipality": (
        "cases:read",
        "cases:write",
        "persons:protected",
        "notices:read",
        "notices:acknowledge",
        "averages:read",
        "months:sign",
        "disputes:write",
        "simulations:run",
        "invoices:read",
        "subscriptions:write",
        "plans:write",
        "consents:write",
        "deviations:write",
    ),
    "care": (
        "cases:read",
        "cases:write",
        "notices:read",
        "notices:acknowledge",
        "plans:write",
        "subscriptions:write",
        "consents:write",
        "deviations:write",
    ),
    "finance": ("averages:read", "invoices:read", "invoices:status", "months:issue"),
    "controller": (
        "averages:read",
        "invoices:read",
        "months:prepare",
        "months:publish",
        "reviews:decide",
        "agreements:write",
        "simulations:run",
        "directory:write",
    ),
    "approver": ("averages:read", "invoices:read", "months:approve", "months:issue", "disputes:decide", "agreements:write"),
    "auditor": ("averages:read", "invoices:read", "audit:read", "persons:write"),
}
# What the office's own system does: no role of the whole region reads mailboxes, for its units take in every ward and care centre.
OFFICE_SCOPES: Final = ("notices:read", "notices:acknowledge", "subscriptions:write")
# One care centre of each sub-region has a system of its own in the demo.
CARE_CLIENTS: Final = {"care-goteborg": "1480", "care-boras": "1490", "care-skovde": "1496", "care-trollhattan": "1488"}


@dataclass(frozen=True, slots=True)
class DemoClient:
    """A client of the demo: it belongs to exactly one organisation and to unit prefixes inside it."""

    id: str
    name: str
    role: Role
    organisation: str
    unit_prefixes: tuple[str, ...]
    municipality: str | None = None
    own_scopes: tuple[str, ...] | None = None

    @property
    def scopes(self) -> tuple[str, ...]:
        """What it may do: what its role may, unless it has scopes of its own."""
        return SCOPES[self.role] if self.own_scopes is None else self.own_scopes


def demo_clients(county: County) -> tuple[DemoClient, ...]:
    """All clients of the demo in a fixed order."""
    region = county.organisation
    whole_region = (f"SE{region}-",)
    wards = [DemoClient(f"ward-{hospital.key}", hospital.name, "ward", region, (hospital.prefix,)) for hospital in county.hospitals]
    history = DemoClient("history", "Historik", "history", region, whole_region)
    municipalities = [
        DemoClient(
            f"kommun-{municipality.code}",
            municipality.name,
            "municipality",
            municipality.organisation,
            (f"SE{municipality.organisation}-",),
            municipality.code,
        )
        for municipality in county.municipalities
    ]
    care = [
        DemoClient(client_id, centre.name, "care", region, (centre.unit,))
        for client_id, code in CARE_CLIENTS.items()
        for centre in county.care_centres_of(code)[:1]
    ]
    offices: tuple[tuple[Role, str], ...] = (
        ("finance", "Ekonomi"),
        ("controller", "Handläggare"),
        ("approver", "Attestant"),
        ("auditor", "Granskare"),
    )
    staff = [DemoClient(role, name, role, region, whole_region) for role, name in offices]
    office = DemoClient("office", county.office.name, "controller", region, (county.office.unit,), own_scopes=OFFICE_SCOPES)
    return (*wards, history, *municipalities, *care, *staff, office)
