"""Planning's tables. Person data: `events.body`, `cases.person`, `notices.personal`, `plans.person`, `waiting_merges.person`, nowhere else.

There it is sealed, and the numbers in `person_id` and `person_ids` are keyed hashes: see `services.planning.vault`.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.planning.tables.commands import (
    admission_reasons,
    consents,
    deviation_entries,
    deviations,
    messages,
    plan_answers,
    plan_entries,
    plan_invitations,
    plan_notices,
    plan_parties,
    plans,
)
from services.planning.tables.indicators import closed_months, closed_stay_measures, shown_blocks, stay_measures
from services.planning.tables.merges import waiting_merges
from services.planning.tables.metadata import INSTANT, metadata
from services.planning.tables.outages import outage_entries, outages, service_beats
from services.planning.tables.reviewing import access_terms

__all__ = [
    "access_terms",
    "addressing",
    "admission_reasons",
    "care_contacts",
    "case_history",
    "cases",
    "closed_months",
    "closed_stay_measures",
    "consents",
    "declined_measures",
    "deviation_entries",
    "deviations",
    "duty_calendars",
    "duty_reminders",
    "events",
    "mailbox_alarms",
    "mailboxes",
    "messages",
    "metadata",
    "notices",
    "organisations",
    "outage_entries",
    "outages",
    "person_sealing",
    "plan_answers",
    "plan_entries",
    "plan_invitations",
    "plan_notices",
    "plan_parties",
    "planning_statuses",
    "plans",
    "service_beats",
    "shown_blocks",
    "stay_measures",
    "team_members",
    "units",
    "waiting_merges",
]

OPEN = text("state IN ('admitted', 'planning', 'ready')")

organisations = Table(
    "organisations",
    metadata,
    Column("number", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("municipality", Text, unique=True),
    Column("sub_region", Text),
    Column("valid_from", Date),
    Column("valid_to", Date),
    comment="region and municipalities; municipality = SCB code",
)

units = Table(
    "units",
    metadata,
    Column("hsa_id", Text, primary_key=True),
    Column("organisation", Text, ForeignKey("organisations.number"), nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("stay_space", Text),
    Column("owner", Text, ForeignKey("organisations.number")),
    Column("municipality", Text),
    Column("sub_region", Text),
    Column("valid_from", Date),
    Column("valid_to", Date),
    CheckConstraint("kind IN ('ward', 'care_centre', 'municipal', 'team', 'office')", name="units_kind"),
    comment="stay_space = within what a ward's stay ids are unique, its record system; none = the care provider",
)

mailboxes = Table(
    "mailboxes",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organisation", Text, ForeignKey("organisations.number"), nullable=False),
    Column("unit", Text, ForeignKey("units.hsa_id"), nullable=False),
    Column("function", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("last_polled_at", INSTANT),
    Column("district", Text, nullable=False, server_default=""),
    UniqueConstraint("recipient", "function", "district", name="mailboxes_recipient"),
    CheckConstraint(
        "function IN ('municipality', 'social_services', 'health_care', 'on_call', 'district', 'controller', 'care_unit', 'ward', 'team')",
        name="mailboxes_function",
    ),
    Index("mailboxes_unit", "unit"),
    comment="one dense feed each; recipient = municipality:CODE or unit:HSA-id, as notices are addressed",
)

addressing = Table(
    "addressing",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("recipient", Text, nullable=False),
    Column("need", Text),
    Column("care_type", Text),
    Column("postal_code", Text, nullable=False, server_default=""),
    Column("mailbox", Uuid, ForeignKey("mailboxes.id"), nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    CheckConstraint("need IN ('municipal_social', 'municipal_health', 'outpatient')", name="addressing_need"),
    CheckConstraint("care_type IN ('somatic', 'psychiatric')", name="addressing_care_type"),
    Index("addressing_mailbox", "mailbox"),
    Index("addressing_recipient", "recipient"),
    comment="which mailbox of a recipient takes which notices, by need, care type, place and date",
)

team_members = Table(
    "team_members",
    metadata,
    Column("team", Text, ForeignKey("units.hsa_id"), primary_key=True),
    Column("unit", Text, ForeignKey("units.hsa_id"), primary_key=True),
    Column("valid_from", Date, primary_key=True),
    Column("valid_to", Date),
    Index("team_members_unit", "unit"),
    comment="a team (mobile local care) is a unit whose members belong to units of several organisations",
)

duty_calendars = Table(
    "duty_calendars",
    metadata,
    Column("mailbox", Uuid, ForeignKey("mailboxes.id"), primary_key=True),
    Column("weekly", JSONB, nullable=False),
    Column("closed", JSONB, nullable=False, server_default="[]"),
    Column("holidays_closed", Boolean, nullable=False),
    Column("outside", Uuid, ForeignKey("mailboxes.id")),
    comment="when somebody reads a mailbox, by local time; outside = who takes over; no calendar: always",
)

events = Table(
    "events",
    metadata,
    Column("id", BigInteger, Identity(always=True, cache=1), primary_key=True),
    Column("source", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("space", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("sent_at", INSTANT, nullable=False),
    Column("received_at", INSTANT, nullable=False),
    Column("history", Boolean, nullable=False),
    Column("client", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("body", Text, nullable=False),
    Column("by_command", Boolean, nullable=False, server_default="false"),
    UniqueConstraint("source", "event_id", name="events_key"),
    Index("events_stay", "space", "subject"),
    comment="every event ever accepted, as sent (canonical JSON) but for the person, which is sealed;"
    " two clocks: sent_at and the time inside; by_command = a party stated it with a command",
)

person_sealing = Table(
    "person_sealing",
    metadata,
    Column("kept_in", Text, primary_key=True),
    Column("key", Text, nullable=False),
    Column("through", Text),
    Column("sealed", BigInteger, nullable=False, server_default="0"),
    Column("finished_at", INSTANT),
    comment="how far the worker has come in sealing everything with the key that seals now",
)

cases = Table(
    "cases",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("space", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default="0"),
    Column("state", Text),
    Column("ward", Text),
    Column("care_type", Text),
    Column("municipality", Text),
    Column("outpatient_unit", Text),
    Column("parties", JSONB, nullable=False, server_default="[]"),
    Column("view", JSONB),
    Column("person", JSONB),
    Column("person_id", Text),
    Column("changed_at", INSTANT),
    Column("joined_to", Uuid, ForeignKey("cases.id")),
    Column("person_ids", JSONB, nullable=False, server_default="[]"),
    UniqueConstraint("space", "subject", name="cases_stay"),
    Index("cases_municipality", "municipality", "id"),
    Index("cases_outpatient_unit", "outpatient_unit", "id"),
    Index("cases_ward", "ward", "id"),
    Index("cases_person", "person_id"),
    Index("cases_joined_to", "joined_to", postgresql_where=text("joined_to IS NOT NULL")),
    Index("cases_parties", "parties", postgresql_using="gin", postgresql_ops={"parties": "jsonb_path_ops"}),
    Index("cases_person_ids", "person_ids", postgresql_using="gin", postgresql_ops={"person_ids": "jsonb_path_ops"}),
    Index("cases_open_parties", "parties", postgresql_using="gin", postgresql_ops={"parties": "jsonb_path_ops"}, postgresql_where=OPEN),
    Index("cases_open_outpatient_unit", "outpatient_unit", "id", postgresql_where=OPEN),
    Index("cases_open_ward", "ward", "id", postgresql_where=OPEN),
    Index("cases_on_paper", "id", postgresql_where=text("(view -> 'on_paper') IS NOT NULL")),
    Index("cases_with_findings", "id", postgresql_where=text("jsonb_array_length(view -> 'findings') > 0")),
    comment="the fold of each stay's events as last computed; the person sealed, its numbers as keyed hashes",
)

case_history = Table(
    "case_history",
    metadata,
    Column("case_id", Uuid, ForeignKey("cases.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("at", INSTANT, nullable=False),
    Column("client", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("event_row", BigInteger, ForeignKey("events.id"), unique=True),
    Column("answer", Text, nullable=False),
    comment="who did what when, append-only; answer = the first answer, given again to a repetition",
)

notices = Table(
    "notices",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("mailbox", Uuid, ForeignKey("mailboxes.id"), nullable=False),
    Column("case_id", Uuid, ForeignKey("cases.id")),
    Column("recipient", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("sent_at", INSTANT, nullable=False),
    Column("supersedes", Uuid),
    Column("envelope", Text, nullable=False),
    Column("personal", JSONB),
    Column("delivered_at", INSTANT),
    Column("acknowledged_at", INSTANT),
    Column("acknowledged_by", Text),
    Column("acknowledged_client", Text),
    Column("returned_at", INSTANT),
    Column("returned_by", Text),
    Column("return_reason", Text),
    Column("returned_client", Text),
    Column("forwarded_to", Uuid, ForeignKey("mailboxes.id")),
    Column("forwarded_as", Uuid),
    Column("forwarded_at", INSTANT),
    Column("forwarded_by", Text),
    Column("forwarded_client", Text),
    Column("withheld", Text),
    Column("withheld_at", INSTANT),
    Column("withheld_basis", Text),
    Index("notices_case", "case_id"),
    Index("notices_open", "mailbox", "case_id", postgresql_where=text("state IN ('sent', 'delivered')")),
    CheckConstraint("withheld IN ('erased', 'protected', 'returned', 'consent_withdrawn')", name="notices_withheld"),
    CheckConstraint("state IN ('sent', 'delivered', 'acknowledged', 'returned', 'superseded', 'cancelled')", name="notices_state"),
    comment="what stands beside the envelope in a mailbox: the personal part, sealed, and what became of the notice",
)

planning_statuses = Table(
    "planning_statuses",
    metadata,
    Column("case_id", Uuid, ForeignKey("cases.id"), primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("recipient", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("ready_from", INSTANT),
    Column("needs", JSONB, nullable=False, server_default="[]"),
    Column("stated_at", INSTANT, nullable=False),
    Column("answered_at", INSTANT),
    Column("client", Text, nullable=False),
    CheckConstraint("status IN ('received', 'assessing', 'ready_from', 'needs', 'no_measures')", name="planning_statuses_status"),
    comment="what each unit last told the ward of its planning; answered_at = when it first answered",
)

care_contacts = Table(
    "care_contacts",
    metadata,
    Column("case_id", Uuid, ForeignKey("cases.id"), primary_key=True),
    Column("unit", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text),
    Column("phone", Text),
    Column("appointed_at", INSTANT, nullable=False),
    Column("changed_at", INSTANT, nullable=False),
    Column("client", Text, nullable=False),
    comment="N3: the permanent care contact; appointed_at = when the first one was appointed",
)

declined_measures = Table(
    "declined_measures",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("case_id", Uuid, ForeignKey("cases.id"), nullable=False),
    Column("unit", Text, nullable=False),
    Column("measures", JSONB, nullable=False),
    Column("declined_at", INSTANT, nullable=False),
    Column("recorded_at", INSTANT, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Column("client", Text, nullable=False),
    Index("declined_measures_case", "case_id"),
    comment="what the patient declined, and who told us; append-only",
)

mailbox_alarms = Table(
    "mailbox_alarms",
    metadata,
    Column("mailbox", Uuid, ForeignKey("mailboxes.id"), primary_key=True),
    Column("told_at", INSTANT, nullable=False),
    comment="when it was told last that nobody reads a mailbox; told again only after it was read since",
)

duty_reminders = Table(
    "duty_reminders",
    metadata,
    Column("case_id", Uuid, primary_key=True),
    Column("duty", Text, primary_key=True),
    Column("step", Text, primary_key=True),
    Column("told", Uuid, ForeignKey("mailboxes.id"), nullable=False),
    Column("at", INSTANT, nullable=False),
    comment="each step of each duty that somebody was reminded of, once for ever; case_id = the case, or the plan without a stay",
)
