"""The price per day: shipped where a public source was found, else a marked demo price that two persons enter."""

from collections.abc import Iterable
from typing import Any, Final

from dirigent.demo.asking import ask, tell
from dirigent.replay.api import PublicApi

DEMO_PRICE: Final = "12800.00"
SOURCE: Final = "DEMO price, made up: no real tariff"
ORE_PER_KRONA: Final = 100


async def ensure_prices(api: PublicApi, years: Iterable[int], run: str) -> dict[int, int]:
    """Have a price for every care day of these years; the region enters what is missing, one proposes and another approves.

    Returns:
        Öre per care day, by year.
    """
    for year in years:
        known = await _priced(api, year)
        if known is None:
            await _enter(api, year, run)
    prices = {}
    for year in years:
        price = await _priced(api, year)
        if price is not None:
            prices[year] = price
    return prices


async def _enter(api: PublicApi, year: int, run: str) -> None:
    price = {"first": f"{year}-01-01", "last": f"{year}-12-31", "price": {"amount": DEMO_PRICE, "currency": "SEK"}, "source": SOURCE}
    proposed = await tell(api, "controller", "/v1/tariffs", price, key=f"{run}/tariff/{year}")
    await tell(api, "approver", f"/v1/tariffs/{proposed['id']}/approval", {}, key=f"{run}/tariff/{year}/approval")


async def _priced(api: PublicApi, year: int) -> int | None:
    """The price that counts for a whole year: the one approved last, else the shipped one."""
    tariffs: list[dict[str, Any]] = (await ask(api, "controller", "/v1/tariffs"))["tariffs"]
    of_year = [one for one in tariffs if one["price"] and one["first"] <= f"{year}-01-01" and (one["last"] or "9") >= f"{year}-12-31"]
    approved = sorted((one for one in of_year if one["state"] == "approved"), key=lambda one: one["approved_at"])
    counting = (approved or [one for one in of_year if one["state"] == "shipped"])[-1:]
    return ore(counting[0]["price"]) if counting else None


def ore(money: dict[str, str]) -> int:
    """Money of the interface as whole öre."""
    kronor, _, rest = money["amount"].partition(".")
    return int(kronor) * ORE_PER_KRONA + (int(rest) if not kronor.startswith("-") else -int(rest))
