"""GET and PUT /v1/debtors: who pays for each municipality, where documents must arrive, and on what terms; dated."""

from http import HTTPStatus
from typing import Annotated, Self

from fastapi import APIRouter, Request, Response
from pydantic import Field

from services.billing.api.parts import Acting, MunicipalityPath, actor_of, reader_of, require_region
from services.billing.repository.debtors import Debtor
from services.billing.usecases.debtors import debtors_of, history_of, put_debtor
from shared.dates import format_instant
from shared.http.call import Checked, StrictRoute, Working
from shared.http.documented import with_example
from shared.http.fields import Answer, Day, ShortText, Whole
from shared.http.idempotency import once

router = APIRouter(route_class=StrictRoute, tags=["Finance"])

AccountText = Annotated[str, Field(strict=True, pattern=r"^[0-9]{3,10}$")]


class DebtorBody(Acting):
    """A municipality as payer from a day on. Left out: the issuer's own terms of payment, the accounts of the data file."""

    model_config = with_example(
        {
            "valid_from": "2027-01-01",
            "name": "Göteborgs kommun",
            "organisation": "2120001355",
            "peppol_id": "0007:2120001355",
            "gln": "7300010000001",
            "buyer_reference": "ZZ1480",
            "payment_days": 30,
            "receivable_account": "1510",
            "revenue_account": "3190",
            "street": "Testgatan 1",
            "postal_code": "411 01",
            "city": "Göteborg",
            "acted_by": "Anna Test",
        }
    )

    valid_from: Day
    name: ShortText
    organisation: Annotated[str, Field(strict=True, max_length=20)]
    peppol_id: Annotated[str, Field(strict=True, max_length=50)] | None = None
    gln: Annotated[str, Field(strict=True, max_length=20)] | None = None
    buyer_reference: ShortText | None = None
    payment_days: Annotated[Whole, Field(ge=0, le=365)] | None = None
    receivable_account: AccountText | None = None
    revenue_account: AccountText | None = None
    street: ShortText | None = None
    postal_code: ShortText | None = None
    city: ShortText | None = None

    def entry(self, municipality: str) -> Debtor:
        """As the register keeps it."""
        told = self.model_dump(exclude={"valid_from", "acted_by"})
        return Debtor(municipality, first=self.valid_from, **told)


class DebtorAnswer(Answer):
    """One entry of the register, in force from `valid_from` through `valid_through` (null = until further notice)."""

    municipality: str
    valid_from: str
    valid_through: str | None
    name: str
    organisation: str
    peppol_id: str | None
    gln: str | None
    buyer_reference: str | None
    payment_days: int | None
    receivable_account: str | None
    revenue_account: str | None
    street: str | None
    postal_code: str | None
    city: str | None
    entered_by: str | None
    entered_at: str | None

    @classmethod
    def of(cls, debtor: Debtor) -> Self:
        """From the register's entry."""
        told = {name: getattr(debtor, name) for name in Debtor.__slots__ if name in cls.model_fields}
        through = None if debtor.last is None else debtor.last.isoformat()
        entered_at = None if debtor.entered_at is None else format_instant(debtor.entered_at)
        return cls(**told | {"valid_from": debtor.first.isoformat(), "valid_through": through, "entered_at": entered_at})


class Debtors(Answer):
    """Who pays today, for every municipality the caller may see."""

    debtors: list[DebtorAnswer]


class DebtorHistory(Answer):
    """Every entry of one municipality, the latest first."""

    municipality: str
    entries: list[DebtorAnswer]


@router.get("/v1/debtors")
async def read_debtors(call: Checked, work: Working) -> Debtors:
    """Who pays today; a municipality sees its own entry."""
    return Debtors(debtors=[DebtorAnswer.of(one) for one in await debtors_of(work, reader_of(call.caller))])


@router.get("/v1/debtors/{municipality}")
async def read_debtor(call: Checked, work: Working, municipality: MunicipalityPath) -> DebtorHistory:
    """One municipality's entries through time."""
    found = await history_of(work, municipality, reader_of(call.caller))
    return DebtorHistory(municipality=municipality, entries=[DebtorAnswer.of(one) for one in found])


@router.put("/v1/debtors/{municipality}", response_model=DebtorAnswer)
async def enter_debtor(call: Checked, work: Working, request: Request, municipality: MunicipalityPath, body: DebtorBody) -> Response:
    """Enter a debtor from a day on, up to a later entry; the one before ends the day before, and documents issued stay as they are."""
    require_region(call)

    async def act() -> DebtorAnswer:
        return DebtorAnswer.of(await put_debtor(work, body.entry(municipality), actor_of(call, body)))

    return await once(work, call, request, act, status=HTTPStatus.OK)
