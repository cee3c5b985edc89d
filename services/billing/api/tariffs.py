"""GET and POST /v1/tariffs: every price per care day with its source; prices are entered by two persons."""

from http import HTTPStatus
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field

from services.billing.agreements import load_tariffs
from services.billing.api.parts import Acting, Amount, person_of, reader_of, require_region
from services.billing.domain.tariff import DayPrice
from services.billing.repository.tariffs import TariffRow
from services.billing.usecases.tariffs import approve_tariff, propose_tariff, tariffs_entered
from shared.dates import format_instant
from shared.http.call import Checked, StrictRoute, Working
from shared.http.documented import with_example
from shared.http.fields import Answer, Body, Day, ShortText
from shared.http.idempotency import once
from shared.money import Money

router = APIRouter(route_class=StrictRoute, tags=["Finance"])


class PriceBody(Body):
    """A price per care day in kronor with two decimals."""

    amount: Annotated[str, Field(strict=True, pattern=r"^-?[0-9]{1,7}\.[0-9]{2}$", examples=["12000.00"])]
    currency: Annotated[str, Field(strict=True, pattern=r"^SEK$")] = "SEK"


class TariffBody(Acting):
    """A price that the region enters, for a period, with where it was read."""

    model_config = with_example(
        {
            "first": "2027-01-01",
            "last": "2027-12-31",
            "price": {"amount": "12000.00", "currency": "SEK"},
            "source": "made up for this example",
            "acted_by": "Anna Test",
        }
    )

    first: Day
    last: Day
    price: PriceBody
    source: ShortText


class TariffAnswer(Answer):
    """One price: shipped, proposed, or approved. `price` null = nobody has entered it, which blocks invoicing."""

    id: UUID | None
    first: str
    last: str | None
    price: Amount | None
    source: str
    state: str
    proposed_by: str | None = None
    approved_by: str | None = None
    approved_at: str | None = None

    @classmethod
    def shipped(cls, price: DayPrice) -> Self:
        """From the data file."""
        last = None if price.period.last is None else price.period.last.isoformat()
        state = "missing" if price.price is None else "shipped"
        first = price.period.first.isoformat()
        return cls(id=None, first=first, last=last, price=Amount.of(price.price), source=price.source, state=state)

    @classmethod
    def entered(cls, row: TariffRow) -> Self:
        """From the region's own entry."""
        return cls(
            id=row.id,
            first=row.first.isoformat(),
            last=row.last.isoformat(),
            price=Amount.of(row.price),
            source=row.source,
            state="proposed" if row.approved_at is None else "approved",
            proposed_by=row.person,
            approved_by=row.approved_by,
            approved_at=None if row.approved_at is None else format_instant(row.approved_at),
        )


class Tariffs(Answer):
    """All prices; no day has two that count: a price is entered only where none is shipped or approved."""

    tariffs: list[TariffAnswer]


@router.get("/v1/tariffs")
async def read_tariffs(call: Checked, work: Working) -> Tariffs:
    """Every price per care day, the missing ones included."""
    reader_of(call.caller)
    shipped = [TariffAnswer.shipped(price) for price in load_tariffs().prices]
    return Tariffs(tariffs=shipped + [TariffAnswer.entered(row) for row in await tariffs_entered(work)])


@router.post("/v1/tariffs", status_code=HTTPStatus.CREATED, response_model=TariffAnswer)
async def propose_price(call: Checked, work: Working, request: Request, body: TariffBody) -> Response:
    """Propose a price; it counts when another person has approved it."""
    require_region(call)

    async def act() -> TariffAnswer:
        price = Money.of_kronor(body.price.amount)
        return TariffAnswer.entered(await propose_tariff(work, body.first, body.last, price, body.source, person_of(call, body)))

    return await once(work, call, request, act)


@router.post("/v1/tariffs/{tariff_id}/approval", response_model=TariffAnswer)
async def approve_price(call: Checked, work: Working, request: Request, tariff_id: UUID, body: Acting) -> Response:
    """Approve a price somebody else proposed; every month that waited for it is counted anew."""
    require_region(call)

    async def act() -> TariffAnswer:
        return TariffAnswer.entered(await approve_tariff(work, tariff_id, person_of(call, body)))

    return await once(work, call, request, act, status=HTTPStatus.OK)
