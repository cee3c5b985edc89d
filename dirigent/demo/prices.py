"""The price per day: shipped where a public source was found, else a marked demo price that two persons enter."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, Final

from dirigent.demo.asking import ask, tell
from dirigent.replay.api import PublicApi

DEMO_PRICE: Final = "12800.00"
SOURCE: Final = "DEMO: påhittat pris, ingen verklig taxa"
ORE_PER_KRONA: Final = 100
ONE_DAY: Final = timedelta(days=1)


async def ensure_prices(api: PublicApi, years: Iterable[int], run: str) -> dict[int, int]:
    """Have a price for every care day of these years; the region enters what is missing, one proposes and another approves.

    Returns:
        Öre per care day, by year: what counts on its last day.
    """
    prices = {}
    for year in years:
        for first, last in gaps(await _priced(api), year):
            await _enter(api, first, last, run)
        latest = date(year, 12, 31)
        prices[year] = next(ore(one["price"]) for one in await _priced(api) if _covers(one, latest))
    return prices


def gaps(priced: list[dict[str, Any]], year: int) -> list[tuple[date, date]]:
    """The runs of days of a year that have no price: a price that stands is never replaced."""
    found: list[tuple[date, date]] = []
    day = date(year, 1, 1)
    while day.year == year:
        if not any(_covers(one, day) for one in priced):
            if found and found[-1][1] + ONE_DAY == day:
                found[-1] = (found[-1][0], day)
            else:
                found.append((day, day))
        day += ONE_DAY
    return found


def _covers(tariff: dict[str, Any], day: date) -> bool:
    return bool(tariff["first"] <= day.isoformat() and (tariff["last"] is None or day.isoformat() <= tariff["last"]))


async def _enter(api: PublicApi, first: date, last: date, run: str) -> None:
    period = {"first": first.isoformat(), "last": last.isoformat()}
    price = {**period, "price": {"amount": DEMO_PRICE, "currency": "SEK"}, "source": SOURCE}
    proposed = await tell(api, "controller", "/v1/tariffs", price, key=f"{run}/tariff/{first}")
    await tell(api, "approver", f"/v1/tariffs/{proposed['id']}/approval", {}, key=f"{run}/tariff/{first}/approval")


async def _priced(api: PublicApi) -> list[dict[str, Any]]:
    """Every price that counts: shipped or approved."""
    tariffs: list[dict[str, Any]] = (await ask(api, "controller", "/v1/tariffs"))["tariffs"]
    return [one for one in tariffs if one["state"] in {"shipped", "approved"}]


def ore(money: dict[str, str]) -> int:
    """Money of the interface as whole öre."""
    kronor, _, rest = money["amount"].partition(".")
    return int(kronor) * ORE_PER_KRONA + (int(rest) if not kronor.startswith("-") else -int(rest))
