"""What the parties decide together: plans (of which those without a stay hold a person), consents, messages, deviations."""

from sqlalchemy import Boolean, CheckConstraint, Column, Date, ForeignKey, Index, Integer, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from services.planning.tables.metadata import INSTANT, metadata

plans = Table(
    "plans",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("case_id", Uuid, ForeignKey("cases.id")),
    Column("organisation", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("consent", Text),
    Column("created_at", INSTANT, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("kind", Text, nullable=False, server_default="sip"),
    Column("child", Boolean, nullable=False, server_default="false"),
    Column("person", JSONB),
    Column("main_unit", Text),
    Column("person_id", Text),
    Index("plans_case", "case_id"),
    Index("plans_person", "person_id", postgresql_where=text("person_id IS NOT NULL")),
    Index("plans_alone", "created_at", postgresql_where=text("case_id IS NULL AND state IN ('closed', 'refused', 'withdrawn')")),
    CheckConstraint("consent IN ('given', 'refused', 'withdrawn')", name="plans_consent"),
    CheckConstraint("kind IN ('sip', 'care_plan')", name="plans_kind"),
    comment="co-ordinated individual plans (SIP) and care plans; the person, sealed, only of a plan without a stay",
)

plan_invitations = Table(
    "plan_invitations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("plan_id", Uuid, ForeignKey("plans.id"), nullable=False),
    Column("sent_at", INSTANT, nullable=False),
    Column("recorded_at", INSTANT, nullable=False),
    Column("units", JSONB, nullable=False),
    Column("meeting", JSONB),
    Column("client", Text, nullable=False),
    Index("plan_invitations_plan", "plan_id"),
    comment="N8: who was called to a plan, when, by whom",
)

plan_entries = Table(
    "plan_entries",
    metadata,
    Column("plan_id", Uuid, ForeignKey("plans.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", INSTANT, nullable=False),
    Column("client", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    comment="what was said in a plan, append-only: consents, meetings, measures, follow-ups; the latest stands",
)

plan_parties = Table(
    "plan_parties",
    metadata,
    Column("plan_id", Uuid, ForeignKey("plans.id"), primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("team", Text),
    Index("plan_parties_unit", "unit"),
    comment="the units that take part in a plan; team = the team through which",
)

plan_answers = Table(
    "plan_answers",
    metadata,
    Column("invitation_id", Uuid, ForeignKey("plan_invitations.id"), primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("answer", Text, nullable=False),
    Column("proposed_at", INSTANT),
    Column("answered_by", Text, nullable=False),
    Column("answered_at", INSTANT, nullable=False),
    Column("client", Text, nullable=False),
    CheckConstraint("answer IN ('accepted', 'declined')", name="plan_answers_answer"),
    comment="what each unit that was called last answered",
)

plan_notices = Table(
    "plan_notices",
    metadata,
    Column("plan_id", Uuid, ForeignKey("plans.id"), primary_key=True),
    Column("notice_id", Uuid, ForeignKey("notices.id"), primary_key=True),
    comment="the notices of a plan, to be withheld when the consent is withdrawn",
)

consents = Table(
    "consents",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("case_id", Uuid, ForeignKey("cases.id"), nullable=False),
    Column("answer", Text, nullable=False),
    Column("purposes", JSONB, nullable=False),
    Column("given_by", Text, nullable=False),
    Column("valid_until", Date),
    Column("unit", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("recorded_at", INSTANT, nullable=False),
    Column("client", Text, nullable=False),
    Column("withdrawn_at", INSTANT),
    Column("withdrawn_by", Text),
    Column("withdrawn_client", Text),
    Index("consents_case", "case_id"),
    CheckConstraint("answer IN ('given', 'refused')", name="consents_answer"),
    comment="what a patient said when asked whether more than the statute tells may be shared in a case",
)

admission_reasons = Table(
    "admission_reasons",
    metadata,
    Column("case_id", Uuid, ForeignKey("cases.id"), primary_key=True),
    Column("unit", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("stated_by", Text, nullable=False),
    Column("stated_at", INSTANT, nullable=False),
    Column("client", Text, nullable=False),
    comment="why the patient was admitted, as the ward told; shown to others only with her consent",
)

messages = Table(
    "messages",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("case_id", Uuid, ForeignKey("cases.id"), nullable=False),
    Column("answers", Uuid, ForeignKey("messages.id")),
    Column("state", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("body", Text),
    Column("written_by", Text, nullable=False),
    Column("sent_at", INSTANT, nullable=False),
    Column("client", Text, nullable=False),
    Index("messages_case", "case_id", "id"),
    Index("messages_open", "recipient", postgresql_where=text("state = 'open'")),
    CheckConstraint("state IN ('open', 'answered', 'answer')", name="messages_state"),
    comment="questions and answers on a case; the text is shown to the other side only with consent",
)

deviations = Table(
    "deviations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("case_id", Uuid, ForeignKey("cases.id"), nullable=False),
    Column("notice_id", Uuid),
    Column("state", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("reporter", Text, nullable=False),
    Column("assigned_to", Text),
    Column("reported_at", INSTANT, nullable=False),
    Column("assigned_at", INSTANT),
    Column("answered_at", INSTANT),
    Column("closed_at", INSTANT),
    Column("due_at", INSTANT),
    Index("deviations_assigned_to", "assigned_to"),
    Index("deviations_case", "case_id"),
    Index("deviations_reporter", "reporter"),
    CheckConstraint("state IN ('reported', 'assigned', 'answered', 'closed')", name="deviations_state"),
    comment="faults in the co-operation: reported, assigned to the counterpart, answered with measures, closed",
)

deviation_entries = Table(
    "deviation_entries",
    metadata,
    Column("deviation_id", Uuid, ForeignKey("deviations.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", INSTANT, nullable=False),
    Column("client", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    comment="what was said about a deviation, by whom, append-only",
)
