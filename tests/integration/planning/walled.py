"""One row of each walled table for each of two stays that have no party in common, written straight into the tables."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from services.planning.usecases import DirectoryEntries, MailboxAt, Organisation, Unit, load_directory
from shared.db import Reader, Work
from tests.builders import CARE_CENTRE, GOTEBORG, HARRYDA, OTHER_CARE_CENTRE, OTHER_WARD, WARD
from tests.integration.planning.conftest import GOTEBORG_NUMBER, GOTEBORG_UNIT, HARRYDA_NUMBER, HARRYDA_UNIT
from tests.services import REGION

TEAM: Final = f"SE{REGION}-TEAM1"
ENTRIES: Final = DirectoryEntries(
    organisations=[
        Organisation(REGION, "Region"),
        Organisation(GOTEBORG_NUMBER, "Göteborg", GOTEBORG),
        Organisation(HARRYDA_NUMBER, "Härryda", HARRYDA),
    ],
    units=[
        Unit(WARD, REGION, "Avdelning 1", "ward"),
        Unit(OTHER_WARD, REGION, "Avdelning 2", "ward"),
        Unit(CARE_CENTRE, REGION, "Vårdcentral 1", "care_centre"),
        Unit(OTHER_CARE_CENTRE, REGION, "Vårdcentral 2", "care_centre"),
        Unit(GOTEBORG_UNIT, GOTEBORG_NUMBER, "Socialtjänst", "municipal"),
        Unit(HARRYDA_UNIT, HARRYDA_NUMBER, "Socialtjänst", "municipal"),
        Unit(TEAM, REGION, "Mobilt team", "team"),
    ],
    mailboxes=[
        MailboxAt(GOTEBORG_UNIT, GOTEBORG_NUMBER, f"municipality:{GOTEBORG}", "municipality"),
        MailboxAt(HARRYDA_UNIT, HARRYDA_NUMBER, f"municipality:{HARRYDA}", "municipality"),
        MailboxAt(CARE_CENTRE, REGION, f"unit:{CARE_CENTRE}", "care_unit"),
        MailboxAt(OTHER_CARE_CENTRE, REGION, f"unit:{OTHER_CARE_CENTRE}", "care_unit"),
        MailboxAt(WARD, REGION, f"unit:{WARD}", "ward"),
        MailboxAt(OTHER_WARD, REGION, f"unit:{OTHER_WARD}", "ward"),
        MailboxAt(TEAM, REGION, f"unit:{TEAM}", "team"),
    ],
)


@dataclass(frozen=True, slots=True)
class Side:
    """The parties of one stay; `mark` stands in every row of it."""

    mark: str
    ward: str
    care: str
    municipality: str
    municipal_unit: str
    number: str

    @property
    def case(self) -> UUID:
        return UUID(f"{self.mark}-0000-7000-8000-000000000001")

    @property
    def readers(self) -> dict[str, Reader]:
        """Who may read of it, each as row-level security knows it."""
        return {
            "ward": Reader(f"ward-{self.mark}", REGION, (self.ward,), "ward"),
            "care": Reader(f"care-{self.mark}", REGION, (self.care,), "care"),
            "municipality": Reader(f"kommun-{self.mark}", self.number, (f"SE{self.number}-",), "municipality", self.municipality),
        }


ONE: Final = Side("aaaaaaaa", WARD, CARE_CENTRE, GOTEBORG, GOTEBORG_UNIT, GOTEBORG_NUMBER)
OTHER: Final = Side("bbbbbbbb", OTHER_WARD, OTHER_CARE_CENTRE, HARRYDA, HARRYDA_UNIT, HARRYDA_NUMBER)

ROWS: Final[dict[str, str]] = {
    "cases": """
        INSERT INTO cases (id, space, subject, provider, version, state, ward, municipality, outpatient_unit, parties)
        VALUES (:case, '2321000131', :mark, '2321000131', 1, 'admitted', :ward, :municipality, :care,
                jsonb_build_array('municipality:' || :municipality, 'unit:' || :care))
    """,
    "events": """
        INSERT INTO events (source, event_id, space, subject, sent_at, received_at, history, client, fingerprint, body)
        VALUES ('urn:hsa:' || :ward, :mark, '2321000131', :mark, now(), now(), false, 'client-' || :mark, '\\x00', '{}')
    """,
    "case_history": """
        INSERT INTO case_history (case_id, version, at, client, what, answer) VALUES (:case, 1, now(), 'client-' || :mark, 'x', '{}')
    """,
    "notices": """
        INSERT INTO notices (id, mailbox, case_id, recipient, type, origin, fingerprint, revision, state, sent_at, envelope)
        SELECT CAST(:mark || '-0000-7000-8000-00000000000' || row_number() OVER (ORDER BY recipient) AS uuid), id, CAST(:case AS uuid),
               recipient, 'notice.admission', :mark, '', 0, 'sent', now(), '{}'
        FROM mailboxes WHERE unit IN (:ward, :care, :municipal_unit)
    """,
    "planning_statuses": """
        INSERT INTO planning_statuses (case_id, unit, recipient, status, stated_at, client)
        VALUES (:case, :care, 'unit:' || :care, 'received', now(), 'client-' || :mark)
    """,
    "care_contacts": """
        INSERT INTO care_contacts (case_id, unit, name, appointed_at, changed_at, client)
        VALUES (:case, :care, 'x', now(), now(), 'client-' || :mark)
    """,
    "declined_measures": """
        INSERT INTO declined_measures (id, case_id, unit, measures, declined_at, recorded_at, recorded_by, client)
        VALUES (:case, :case, :care, '[]', now(), now(), 'x', 'client-' || :mark)
    """,
    "admission_reasons": """
        INSERT INTO admission_reasons (case_id, unit, reason, stated_by, stated_at, client)
        VALUES (:case, :ward, 'x', 'x', now(), 'client-' || :mark)
    """,
    "consents": """
        INSERT INTO consents (id, case_id, answer, purposes, given_by, unit, asked_by, recorded_at, client)
        VALUES (:case, :case, 'given', '[]', 'patient', :care, 'x', now(), 'client-' || :mark)
    """,
    "messages": """
        INSERT INTO messages (id, case_id, state, sender, recipient, topic, written_by, sent_at, client)
        VALUES (:case, :case, 'open', :care, :municipal_unit, 'other', 'x', now(), 'client-' || :mark)
    """,
    "deviations": """
        INSERT INTO deviations (id, case_id, state, category, step, reporter, assigned_to, reported_at)
        VALUES (:case, :case, 'assigned', 'x', 'x', :care, :municipal_unit, now())
    """,
    "deviation_entries": """
        INSERT INTO deviation_entries (deviation_id, number, at, client, unit, what, body)
        VALUES (:case, 1, now(), 'client-' || :mark, :care, 'reported', '{}')
    """,
    "plans": """
        INSERT INTO plans (id, case_id, organisation, unit, state, created_at, created_by)
        VALUES (:case, :case, '2321000131', :care, 'need', now(), 'client-' || :mark)
    """,
    "plan_invitations": """
        INSERT INTO plan_invitations (id, plan_id, sent_at, recorded_at, units, client)
        VALUES (:case, :case, now(), now(), '[]', 'x' || :mark)
    """,
    "plan_entries": """
        INSERT INTO plan_entries (plan_id, number, at, client, what, body) VALUES (:case, 1, now(), 'client-' || :mark, 'opened', '{}')
    """,
    "plan_parties": "INSERT INTO plan_parties (plan_id, unit) VALUES (:case, :municipal_unit)",
    "plan_answers": """
        INSERT INTO plan_answers (invitation_id, unit, answer, answered_by, answered_at, client)
        VALUES (:case, :municipal_unit, 'accepted', 'x', now(), 'x')
    """,
    "plan_notices": "INSERT INTO plan_notices (plan_id, notice_id) VALUES (:case, :case)",
    "duty_reminders": """
        INSERT INTO duty_reminders (case_id, duty, step, told, at) SELECT CAST(:case AS uuid), recipient, 'x', id, now()
        FROM mailboxes WHERE unit IN (:ward, :care, :municipal_unit)
    """,
    "feed_entries": """
        INSERT INTO feed_entries (feed, position, entry_id, kind, subject, body, hash)
        SELECT 'mailbox/' || id, 1, CAST(:case AS uuid), 'x', CAST(:case AS uuid), '{}', CAST('\\x00' AS bytea)
        FROM mailboxes WHERE unit IN (:ward, :care, :municipal_unit)
        UNION ALL SELECT feed, ascii(:mark), CAST(:case AS uuid), 'x', CAST(:case AS uuid), '{}', CAST('\\x00' AS bytea)
        FROM unnest(ARRAY['facts', 'access']) AS f (feed)
    """,
    "feed_heads": """
        INSERT INTO feed_heads (feed, position, hash)
        SELECT 'mailbox/' || id, 1, CAST('\\x00' AS bytea)
        FROM mailboxes WHERE unit IN (:ward, :care, :municipal_unit)
    """,
    "idempotency_keys": """
        INSERT INTO idempotency_keys (client, key, fingerprint, status, body)
        SELECT who || '-' || :mark, 'key', CAST('\\x00' AS bytea), 200, ''
        FROM unnest(ARRAY['ward', 'care', 'kommun']) AS w (who)
    """,
    "waiting_merges": """
        INSERT INTO waiting_merges (id, client, organisation, message, merged, merged_into, person, happened_at, received_at)
        SELECT CAST(:mark || '-0000-7000-8000-00000000000' || row_number() OVER () AS uuid), who || '-' || :mark,
               '2321000131', :mark, :mark, :mark, '{}', now(), now()
        FROM unnest(ARRAY['ward', 'care', 'kommun']) AS w (who)
    """,
    "access_terms": "",
    "stay_measures": "",
    "closed_stay_measures": "",
    "mailbox_alarms": "",
    "outbox": "",
}
"""By table what writes its row; empty where nobody reads for a caller at all."""


async def fill(work: Work) -> None:
    """Enter the directory, and a row of each walled table for both stays."""
    await load_directory(work, ENTRIES)
    for side in (ONE, OTHER):
        values: dict[str, Any] = {
            "mark": side.mark,
            "case": side.case,
            "ward": side.ward,
            "care": side.care,
            "municipality": side.municipality,
            "municipal_unit": side.municipal_unit,
        }
        for statement in filter(None, ROWS.values()):
            await work.connection.execute(text(statement), {name: value for name, value in values.items() if f":{name}" in statement})
