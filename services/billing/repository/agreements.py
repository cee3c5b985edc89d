"""Rule sets that the region enters: proposed by one person, approved by another, version by version; nothing is ever taken back."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Row, text

from shared.db import Work

_PROPOSE: Final = text(
    """
    INSERT INTO agreement_proposals (id, name, version, body, source, client, person, proposed_at)
    VALUES (:id, :name, :version, :body, :source, :client, :person, :at)
    """
)
_APPROVE: Final = text("INSERT INTO agreement_approvals (agreement_id, client, person, approved_at) VALUES (:id, :client, :person, :at)")
_COLUMNS: Final = """
    SELECT p.id, p.name, p.version, p.body, p.source, p.client, p.person, p.proposed_at,
           a.client AS approved_client, a.person AS approved_by, a.approved_at
    FROM agreement_proposals p LEFT JOIN agreement_approvals a ON a.agreement_id = p.id
"""
_ALL: Final = text(_COLUMNS + " ORDER BY p.name, p.version")
_ONE: Final = text(_COLUMNS + " WHERE p.id = :id")
_IN_FORCE: Final = text(
    """
    SELECT DISTINCT ON (p.name) p.name, p.version, p.body
    FROM agreement_proposals p JOIN agreement_approvals a ON a.agreement_id = p.id
    WHERE CAST(:then AS timestamptz) IS NULL OR a.approved_at <= :then ORDER BY p.name, p.version DESC
    """
)
_LAST_VERSION: Final = text("SELECT max(version) FROM agreement_proposals WHERE name = :name")
_LOCK: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('billing.agreements', 0))")
# Every stay that was still there when a rule set begins, or came later: who pays for it may itself be a question of the rules.
_TOUCHED: Final = text(
    """
    SELECT case_id FROM stays WHERE touches_from IS NOT NULL AND (touches_to IS NULL OR touches_to >= :first)
    UNION SELECT case_id FROM stay_months WHERE month >= :first
    ORDER BY case_id
    """
)
_REHOME: Final = text(
    """
    UPDATE stays SET municipality = told.municipality
    FROM unnest(CAST(:cases AS uuid[]), CAST(:municipalities AS text[])) AS told (case_id, municipality)
    WHERE stays.case_id = told.case_id AND stays.municipality IS DISTINCT FROM told.municipality
    """
)


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """One version of a rule set that the region proposed, and its approval if there is one. `body` is the rule set as JSON."""

    id: UUID
    name: str
    version: int
    body: str
    source: str
    client: str
    person: str
    proposed_at: datetime
    approved_client: str | None = None
    approved_by: str | None = None
    approved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entered:
    """The version of a rule set that counts."""

    name: str
    version: int
    body: str


async def take_turns(work: Work) -> None:
    """Let one transaction at a time decide about rule sets."""
    await work.connection.execute(_LOCK)


async def propose(work: Work, row: AgreementRow) -> None:
    """Keep a proposal."""
    await work.connection.execute(
        _PROPOSE,
        {
            "id": row.id,
            "name": row.name,
            "version": row.version,
            "body": row.body,
            "source": row.source,
            "client": row.client,
            "person": row.person,
            "at": row.proposed_at,
        },
    )


async def approve(work: Work, agreement: UUID, client: str, person: str) -> None:
    """Keep the second person's yes."""
    await work.connection.execute(_APPROVE, {"id": agreement, "client": client, "person": person, "at": work.at})


async def find(work: Work, agreement: UUID) -> AgreementRow | None:
    """One proposal."""
    row = (await work.connection.execute(_ONE, {"id": agreement})).one_or_none()
    return None if row is None else _agreement(row)


async def all_of_them(work: Work) -> list[AgreementRow]:
    """Every version of every rule set that was ever proposed."""
    return [_agreement(row) for row in await work.connection.execute(_ALL)]


async def in_force(work: Work, then: datetime | None = None) -> Mapping[str, Entered]:
    """The newest approved version of each name, now or as it was at an earlier instant."""
    rows = await work.connection.execute(_IN_FORCE, {"then": then})
    return {row.name: Entered(row.name, row.version, row.body) for row in rows}


async def last_version(work: Work, name: str) -> int:
    """The number of the last version of a name that was proposed, 0 when there is none: that is the one shipped."""
    return (await work.connection.execute(_LAST_VERSION, {"name": name})).scalar_one() or 0


async def touched_since(work: Work, first: date) -> list[UUID]:
    """The cases of every stay that some day from `first` on can count for."""
    return list((await work.connection.execute(_TOUCHED, {"first": first})).scalars())


async def rehome(work: Work, homes: Collection[tuple[UUID, str | None]]) -> None:
    """Enter who may have to pay for these stays now."""
    values = {"cases": [case for case, _ in homes], "municipalities": [municipality for _, municipality in homes]}
    await work.connection.execute(_REHOME, values)


def _agreement(row: Row[tuple[object, ...]]) -> AgreementRow:
    return AgreementRow(
        row.id,
        row.name,
        row.version,
        row.body,
        row.source,
        row.client,
        row.person,
        row.proposed_at,
        row.approved_client,
        row.approved_by,
        row.approved_at,
    )
