"""What the tests of billing start from: facts as planning tells them, a service with its database, tokens for its callers."""

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count, groupby
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from services.billing.api import create_app
from services.billing.consumers import HANDLERS
from services.billing.settings import Settings
from services.billing.usecases import Debtor, enter_debtors
from shared.dates import STOCKHOLM, now
from shared.db import Database, Work
from shared.events.facts import Fact, MailboxPolled, NoticeSent, PlanInvited, StayChanged
from shared.events.stay_parts import ReadyNotice
from shared.identifiers import uuid7
from shared.streams.consumer import Delivered
from shared.streams.sequencer import number_staged

PUBLIC_URL = "http://dirigent.test"
WARD = "SE2321000131-E000000000101"
DEBTORS = (
    Debtor("1480", "Göteborg", "2120001355"),
    Debtor("1481", "Mölndal", "2120001363"),
    Debtor("1490", "Borås", "2120001561"),
)
_POSITIONS = count(1)
_KEYS = count(1)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=STOCKHOLM).astimezone(UTC)


def a_stay_fact(
    days: int | None,
    *,
    discharged: str | None = "2026-03-20T11:00",
    ready: str | None = None,
    municipality: str | None = "1480",
    case: UUID | None = None,
    version: int = 1,
    late_notice: bool = False,
    **changed: Any,
) -> StayChanged:
    """A somatic stay that waited some days; its notices came in time, unless said."""
    end = None if discharged is None else local(discharged)
    if ready is not None:
        sent = local(ready)
    else:
        assert end is not None
        assert days is not None
        sent = end.astimezone(STOCKHOLM).replace(hour=9, tzinfo=None).replace(tzinfo=STOCKHOLM).astimezone(UTC)
        sent = local(f"{(sent.astimezone(STOCKHOLM).date() - timedelta(days=days)).isoformat()}T09:00")
    admitted = sent - timedelta(days=4)
    values: dict[str, Any] = {
        "case_id": case or uuid7(),
        "case_version": version,
        "provider": "2321000131",
        "ward": WARD,
        "care_type": "somatic",
        "admitted_at": admitted,
        "municipality": municipality,
        "need_judged_at": admitted,
        "admission_notice_sent_at": admitted + timedelta(hours=30 if late_notice else 1),
        "ready": (ReadyNotice(notice_sent_at=sent, ready_at=sent),),
        "discharged_at": end,
        "last_sign_of_life_at": end or sent,
    }
    return StayChanged(**(values | changed))


def an_invitation(case: UUID, at: str, called: tuple[str, ...] = ("municipality:1480",)) -> PlanInvited:
    centre = "SE2321000131-E000000000901"
    everybody = (*called, f"unit:{centre}")
    return PlanInvited(plan_id=uuid7(), case_id=case, invitation_id=uuid7(), invited_at=local(at), invited_by=centre, called=everybody)


def a_notice(month: str, sha256: str, sent_at: datetime, municipality: str = "1480", version: int = 1) -> NoticeSent:
    return NoticeSent(
        notice_id=uuid7(),
        notice_type="notice.month_published",
        mailbox=f"controller-{municipality}",
        organisation="2120001355",
        municipality=municipality,
        sent_at=sent_at,
        about={"month": month, "calculation": sha256, "version": str(version)},
    )


def a_poll(at: datetime, municipality: str = "1480") -> MailboxPolled:
    return MailboxPolled(mailbox=f"controller-{municipality}", organisation="2120001355", municipality=municipality, polled_at=at)


async def apply(work: Work, facts: Iterable[Fact]) -> None:
    """Hand facts to the consumer's handlers, in runs of one kind, as the stream would."""
    for kind, run in groupby(facts, key=lambda fact: fact.kind):
        await HANDLERS[kind](work, [Delivered(next(_POSITIONS), uuid7(), None, fact) for fact in run])


@dataclass
class Billing:
    """A running billing service with its database and a client for each caller."""

    app: FastAPI
    database: Database
    http: httpx.AsyncClient
    key: ECKey
    at: datetime
    calculations: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def tell(self, *facts: Fact, at: datetime | None = None) -> None:
        async with self.database.transaction(at or self.at) as work:
            await apply(work, facts)

    async def number(self) -> None:
        """Let the sequencer give positions to what was staged."""
        await number_staged(self.database)

    def token(
        self, client: str, role: str, scopes: str, municipality: str | None = None, *, demo: bool = True, person: str | None = None
    ) -> dict[str, str]:
        issued = int(now().timestamp())
        claims = {
            "iss": PUBLIC_URL,
            "aud": PUBLIC_URL,
            "sub": client,
            "iat": issued,
            "exp": issued + 300,
            "jti": str(uuid7()),
            "org": "2120001355" if municipality else "2321000131",
            "units": [],
            "scope": scopes,
            "role": role,
            "demo": demo,
        }
        if municipality:
            claims["municipality"] = municipality
        if person:
            claims["name"] = person
        text = jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": "k1"}, claims, self.key, algorithms=["ES256"])
        return {"Authorization": f"Bearer {text}"}

    def controller(self) -> dict[str, str]:
        return self.token("controller", "controller", "averages:read invoices:read months:prepare months:publish agreements:write")

    def approver(self) -> dict[str, str]:
        scopes = "averages:read invoices:read months:approve months:issue agreements:write reviews:decide"
        return self.token("approver", "approver", scopes)

    def finance(self) -> dict[str, str]:
        return self.token("finance", "finance", "averages:read invoices:read invoices:status months:issue")

    def municipality(self, code: str = "1480") -> dict[str, str]:
        return self.token(f"kommun-{code}", "municipality", "averages:read months:sign invoices:read", code)

    async def get(self, path: str, who: dict[str, str], **params: Any) -> httpx.Response:
        return await self.http.get(path, headers=who, params=params or None)

    async def post(self, path: str, who: dict[str, str], body: Any, key: str | None = None) -> httpx.Response:
        return await self.http.post(path, headers=who | {"Idempotency-Key": key or f"key-{next(_KEYS)}"}, json=body)

    async def price(self, first: str = "2026-01-01", last: str = "2026-12-31", amount: str = "12000.00") -> None:
        """Let two persons enter a price."""
        body = {"first": first, "last": last, "price": {"amount": amount}, "source": "Made up for a test"}
        proposed = await self.post("/v1/tariffs", self.controller(), body)
        assert proposed.status_code == 201, proposed.text
        approved = await self.post(f"/v1/tariffs/{proposed.json()['id']}/approval", self.approver(), {})
        assert approved.status_code == 200, approved.text

    async def step(
        self, action: str, who: dict[str, str], month: str = "2026-03", code: str = "1480", acted_by: str | None = None
    ) -> httpx.Response:
        """One step on the calculation that was prepared last."""
        body: dict[str, Any] = {} if action == "prepare" else {"calculation": self.calculations[code]}
        if acted_by is not None:
            body["acted_by"] = acted_by
        answer = await self.post(f"/v1/months/{month}/{code}/{action}", who, body)
        if answer.status_code == 200 and answer.json()["calculation"]:
            self.calculations[code] = answer.json()["calculation"]
        return answer

    async def close_month(self, month: str = "2026-03", code: str = "1480") -> httpx.Response:
        """All steps up to the invoice, with the debtor's signature."""
        for action, who in (("prepare", self.controller()), ("publish", self.controller()), ("sign", self.municipality(code))):
            answer = await self.step(action, who, month, code)
            assert answer.status_code == 200, answer.text
        assert (await self.step("approve", self.approver(), month, code)).status_code == 200
        return await self.step("issue", self.approver(), month, code)


@asynccontextmanager
async def a_billing(database_url: str, folder: Path, **settings: Any) -> AsyncIterator[Billing]:
    """Billing as a service, called over ASGI."""
    key = ECKey.generate_key("P-256", {"kid": "k1"}, private=True)
    keys = folder / "keys.json"
    keys.write_text(json.dumps(KeySet([key]).as_dict(private=False)))
    values = {
        "database_url": database_url,
        "DIRIGENT_PUBLIC_URL": PUBLIC_URL,
        "DIRIGENT_TOKEN_KEYS_FILE": keys,
        "DIRIGENT_REDIS_URL": "redis://127.0.0.1:1/0",
        "DIRIGENT_SERVICE_KEY": "0123456789abcdef" * 4,
    }
    app = create_app(Settings.model_validate(values | settings))
    database = Database(database_url)
    async with database.transaction() as work:
        await enter_debtors(work, DEBTORS)
    transport = httpx.ASGITransport(app=app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client:
        yield Billing(app, database, client, key, now())
    await database.close()
