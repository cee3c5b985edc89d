"""Enter the demo county: `python -m dirigent.seed`, run in the data folder after the migrations. Doing it again changes nothing.

Each service's own use cases do the entering, each in its own database: directory to planning, debtors to billing, clients to the gateway.
"""

import asyncio
from pathlib import Path
from typing import Final

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from dirigent.county.clients import DemoClient, demo_clients
from dirigent.county.load import load_county
from dirigent.county.model import County
from dirigent.county.secrets import ensure_secrets
from services.billing.repository.debtors import Debtor
from services.billing.usecases.debtors import enter_debtors
from services.gateway.clients import Client, list_all_clients, register_client
from services.planning.usecases.directory import DirectoryEntries, MailboxAt, Organisation, Unit, load_directory
from shared.db import Database

DEMO: Final = "(demo)"


class SeedSettings(BaseSettings):
    """The databases to enter into, as their services know them, and whether this is a demo at all."""

    environment: str = Field(default="production", validation_alias="DIRIGENT_ENVIRONMENT")
    planning: SecretStr = Field(validation_alias="DIRIGENT_PLANNING_DATABASE_URL")
    billing: SecretStr = Field(validation_alias="DIRIGENT_BILLING_DATABASE_URL")
    gateway: SecretStr = Field(validation_alias="DIRIGENT_GATEWAY_DATABASE_URL")


def directory_of(county: County) -> DirectoryEntries:
    """The county as planning's directory: one mailbox for each municipality, care centre and ward, and the region's office."""
    municipalities = county.municipalities
    wards = [
        Unit(ward.unit, county.organisation, ward.name, "ward", f"{county.organisation}/{hospital.key}")
        for hospital in county.hospitals
        for ward in hospital.wards
    ]
    centres = [Unit(centre.unit, county.organisation, centre.name, "care_centre") for centre in county.care_centres]
    municipal = [Unit(one.unit, one.organisation, f"{one.name} {DEMO}", "municipal") for one in municipalities]
    office = Unit(county.office.unit, county.organisation, county.office.name, "office")
    return DirectoryEntries(
        organisations=[
            Organisation(county.organisation, county.name),
            *(Organisation(one.organisation, f"{one.name} {DEMO}", one.code) for one in municipalities),
        ],
        units=[*wards, *centres, *municipal, office],
        mailboxes=[
            *(MailboxAt(one.unit, one.organisation, f"municipality:{one.code}", "municipality") for one in municipalities),
            *(MailboxAt(one.unit, county.organisation, f"unit:{one.unit}", "care_unit") for one in county.care_centres),
            *(MailboxAt(one.hsa_id, county.organisation, f"unit:{one.hsa_id}", "ward") for one in wards),
            MailboxAt(office.hsa_id, county.organisation, f"unit:{office.hsa_id}", "controller"),
        ],
    )


def debtors_of(county: County) -> list[Debtor]:
    """Every municipality as the one that pays for itself; its address and reference are made up, its Peppol id is never used to send."""
    return [
        Debtor(
            one.code,
            f"{one.name} {DEMO}",
            one.organisation,
            peppol_id=f"0007:{one.organisation}",
            buyer_reference=f"DEMO{one.code}",
            street="Exempelgatan 1",
            postal_code="400 00",
            city=one.name,
        )
        for one in county.municipalities
    ]


def client_of(client: DemoClient) -> Client:
    """A demo client as the gateway knows clients."""
    return Client(
        client_id=client.id,
        organisation=client.organisation,
        unit_prefixes=client.unit_prefixes,
        role=client.role,
        scopes=client.scopes,
        municipality=client.municipality,
        demo=True,
    )


async def seed(settings: SeedSettings, folder: Path) -> None:
    """Enter everything the demo needs; the secrets of its clients are kept in the folder."""
    county = load_county()
    clients = demo_clients(county)
    secrets = ensure_secrets(folder, [client.id for client in clients])
    await asyncio.gather(
        _enter_directory(settings.planning.get_secret_value(), county),
        _enter_debtors(settings.billing.get_secret_value(), county),
        _enter_clients(settings.gateway.get_secret_value(), clients, secrets),
    )


async def _enter_directory(url: str, county: County) -> None:
    database = Database(url, application="seed")
    async with database.transaction() as work:
        await load_directory(work, directory_of(county))
    await database.close()


async def _enter_debtors(url: str, county: County) -> None:
    database = Database(url, application="seed")
    async with database.transaction() as work:
        await enter_debtors(work, debtors_of(county))
    await database.close()


async def _enter_clients(url: str, clients: tuple[DemoClient, ...], secrets: dict[str, str]) -> None:
    database = Database(url, application="seed")
    async with database.transaction() as work:
        # Whom the operator put out stays out, also when the demo starts again.
        revoked = {known.client_id for known in await list_all_clients(work) if not known.active}
        for client in clients:
            if client.id not in revoked:
                await register_client(work, client_of(client), secrets[client.id])
    await database.close()


def main() -> None:
    """Seed the databases named in the environment, with the present folder as data folder; refused outside a demo."""
    settings = SeedSettings()
    if settings.environment != "demo":
        raise SystemExit("dirigent: the demo county is entered only with DIRIGENT_ENVIRONMENT=demo")
    asyncio.run(seed(settings, Path.cwd()))


if __name__ == "__main__":
    main()
