"""`doctor` finds everything somebody could do to money behind everybody's back, a superuser included (promise P11)."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy import text

from dirigent.databases import Access, address
from dirigent.doctor import examine
from dirigent.doctor.checkpoints import Checkpoint, Head, ServiceHeads, read_checkpoint, take_checkpoint
from dirigent.doctor.examining import look
from dirigent.failure import CannotStart
from services.billing.domain.persons import Actor
from services.billing.usecases.statuses import Report, Status, report
from shared.dates import local_date, now
from shared.db import Database, Work
from shared.money import Money
from shared.streams.canonical import GENESIS, link
from tests.integration.billing.parts import Billing, a_billing, a_stay_fact
from tests.servers import Servers

Tamper = Callable[..., Awaitable[tuple[str, ...]]]
TAMPERED = {
    # Months and stays: what is derived.
    "a stay counts a day less": ("UPDATE stay_months SET days = days - 1 WHERE days = 9", "stay"),
    "a stay is not counted": ("DELETE FROM stay_months WHERE days = 9", "stay"),
    "a stay that is not kept is counted": ("UPDATE stay_months SET case_id = gen_random_uuid() WHERE days = 9", "stay"),
    "a stay is taken back to an older version": ("UPDATE stays SET body = replace(body, '\"somatic\"', '\"psychiatric\"')", "stay"),
    "an average is lowered": ("UPDATE averages SET sum_days = sum_days - 1 WHERE sum_days > 0", "average"),
    "an amount of the rollup is lowered": ("UPDATE averages SET amount_ore = amount_ore - 100", "average"),
    "an average is removed": ("DELETE FROM averages WHERE municipality = '1481'", "average 1481"),
    # Calculations and the months that stand on them.
    "a calculation is rewritten": ("UPDATE calculations SET body = replace(body, '\"days\":12', '\"days\":11')", "calculation"),
    "a calculation is rewritten with its fingerprint": (
        (
            "UPDATE calculations SET body = b, sha256 = encode(sha256(convert_to(b, 'UTF8')), 'hex') "
            "FROM (SELECT municipality AS m, version AS v, replace(body, '\"days\":12', '\"days\":11') AS b FROM calculations) n "
            "WHERE m = municipality AND v = version"
        ),
        "its inputs lead to another calculation",
    ),
    "the inputs of a calculation are rewritten": (
        "UPDATE calculations SET inputs = replace(inputs, '\"somatic\"', '\"psychiatric\"')",
        "its inputs",
    ),
    "the amount of a calculation is changed": ("UPDATE calculations SET amount_ore = amount_ore + 1", "its columns say something else"),
    "a calculation is removed": ("DELETE FROM calculations WHERE version = 1 AND municipality = '1480'", "is not kept"),
    "a month is taken back": ("UPDATE months SET state = 'approved' WHERE municipality = '1480'", "month 2026-03 of 1480"),
    "a month is said to be billed otherwise": ("UPDATE months SET billed_ore = billed_ore - 1", "month 2026-03 of"),
    "a step is removed": ("DELETE FROM month_actions WHERE action = 'approve'", "month 2026-03"),
    "a step is added": (
        (
            "INSERT INTO month_actions SELECT gen_random_uuid(), municipality, month, 'prepare', version, sha256, client, person, at "
            "+ interval '1 hour' FROM month_actions WHERE action = 'issue'"
        ),
        "month 2026-03",
    ),
    "the steps are put in another order": (
        "UPDATE month_actions SET action = CASE action WHEN 'approve' THEN 'issue' ELSE 'approve' END WHERE action IN ('approve', 'issue')",
        "month 2026-03",
    ),
    "a month is forgotten": ("DELETE FROM months WHERE municipality = '1481'", "month 2026-03 of 1481"),
    # Signatures on paper.
    "a signature on paper is removed": ("DELETE FROM paper_signatures", "month 2026-03 of 1481, version 1: no paper is kept"),
    "a signature on paper is put in the place of one here": (
        "INSERT INTO paper_signatures SELECT '1480', month, version, signed_by, signed_on, reference, recorded_at FROM paper_signatures",
        "month 2026-03 of 1480, version 1: a paper is kept that nobody recorded",
    ),
    "a signature on paper is moved to another calculation": ("UPDATE paper_signatures SET version = 9", "version 9: a paper is kept"),
    "a signature on paper is recorded at another time": (
        "UPDATE paper_signatures SET recorded_at = recorded_at - interval '1 hour'",
        "its paper was recorded at another time than its step",
    ),
    "a signature on paper is of a day to come": (
        "UPDATE paper_signatures SET signed_on = signed_on + 2",
        "its paper was signed before it was published or after it was recorded",
    ),
    "a signature on paper is of a day before": (
        "UPDATE paper_signatures SET signed_on = signed_on - 2",
        "its paper was signed before it was published or after it was recorded",
    ),
    "a step on paper is made one here": (
        "UPDATE month_actions SET action = 'sign' WHERE action = 'record'",
        "month 2026-03 of 1481, version 1: a paper is kept that nobody recorded",
    ),
    # Documents.
    "a document is rewritten": ("UPDATE invoices SET body = replace(body, 'Göteborg', 'Mölndal')", "changed since it was issued"),
    "a document is rewritten with its fingerprint": (
        (
            "UPDATE invoices SET body = b, sha256 = encode(sha256(convert_to(b, 'UTF8')), 'hex') "
            "FROM (SELECT number AS n, replace(body, 'Göteborg', 'Mölndal') AS b FROM invoices) r WHERE n = number"
        ),
        "feed",
    ),
    "the amount of a document is changed": ("UPDATE invoices SET amount_ore = amount_ore - 1 WHERE serial = 1", "its columns say"),
    "the due date of a document is changed": ("UPDATE invoices SET due_on = due_on + 30 WHERE serial = 2", "its columns say"),
    "a document is removed": ("DELETE FROM invoices WHERE serial = 2", "number 2 is missing"),
    "the last document is removed, and its number taken back": (
        "DELETE FROM invoices WHERE serial = 3; UPDATE invoice_series SET last_number = 2",
        "feed invoices/issuer",
    ),
    "two documents change their numbers": (
        (
            "UPDATE invoices SET serial = -serial WHERE serial < 3; UPDATE invoices SET serial = CASE serial WHEN -1 THEN 2 ELSE 1 END "
            "WHERE serial < 0"
        ),
        "its number is not that of its series",
    ),
    "the series is set ahead": ("UPDATE invoice_series SET last_number = 9", "number 4 is missing"),
    "the series is set back": ("UPDATE invoice_series SET last_number = 1", "was never given"),
    "a credit note refers to another month's invoice": (
        "UPDATE invoices SET refers_to = '2026-000002' WHERE kind = 'credit_note'",
        "refers to no invoice of its month",
    ),
    "more is credited than there was": (
        "UPDATE invoices SET amount_ore = 99999999999 WHERE kind = 'credit_note'",
        "more is credited than it came to",
    ),
    # Payments and postings.
    "a payment is raised": ("UPDATE invoice_statuses SET amount_ore = amount_ore + 1 WHERE status = 'paid'", "payment"),
    "a payment is removed": ("DELETE FROM invoice_statuses WHERE status = 'paid'", "ledger entry"),
    "a payment above the rest is slipped in": (
        (
            "INSERT INTO invoice_statuses (id, number, status, amount_ore, paid_on, client, person, reported_at) "
            "SELECT gen_random_uuid(), number, status, 99999999999, paid_on, client, person, reported_at FROM invoice_statuses "
            "WHERE status = 'paid'"
        ),
        "is more than was left of it",
    ),
    "an entry is removed": ("DELETE FROM ledger_entries WHERE kind = 'credited'", "has not exactly one entry"),
    "an entry is doubled": (
        (
            "INSERT INTO ledger_entries SELECT gen_random_uuid(), kind, document, municipality, month, booked_on, status_id, recorded_at "
            "FROM ledger_entries WHERE kind = 'invoiced' LIMIT 1"
        ),
        "has no postings",
    ),
    "a posting is moved to another account": (
        "UPDATE ledger_postings SET account = '9999' WHERE line = 2 AND amount_ore < 0",
        "the feed ledger says something else",
    ),
    "the postings of an entry are raised on both sides": ("UPDATE ledger_postings SET amount_ore = 2 * amount_ore", "exactly one entry"),
    "an entry is booked on another day": (
        "UPDATE ledger_entries SET booked_on = booked_on - 400 WHERE kind = 'paid'",
        "the feed ledger says something else",
    ),
    # Feeds.
    "an entry of the ledger's feed is rewritten": (
        "UPDATE feed_entries SET body = replace(body, '1480', '1481') WHERE feed = 'ledger' AND position = 1",
        "feed ledger, position 1: changed",
    ),
    "the last entry of the ledger's feed is cut off": (
        "DELETE FROM feed_entries WHERE feed = 'ledger' AND position = (SELECT max(position) FROM feed_entries WHERE feed = 'ledger')",
        "feed ledger",
    ),
    "two entries of a feed change places": (
        (
            "UPDATE feed_entries f SET body = o.body, entry_id = gen_random_uuid() FROM feed_entries o WHERE f.feed = 'ledger' "
            "AND o.feed = 'ledger' AND f.position + o.position = 3"
        ),
        "feed ledger, position 1: changed",
    ),
    "an access to the log is forgotten": ("DELETE FROM feed_entries WHERE feed = 'access' AND position = 1", "position 1: missing"),
}


async def close_on_paper(billing: Billing, code: str = "1481") -> None:
    """All steps up to the invoice, with the debtor's signature on paper."""
    for action in ("prepare", "publish"):
        assert (await billing.step(action, billing.controller(), code=code)).status_code == 200
    paper = {"signed_by": "Anna Test, ekonomichef", "signed_on": local_date(now()).isoformat(), "reference": "RS 2026-04711"}
    body = {"calculation": billing.calculations[code], **paper}
    recorded = await billing.post(f"/v1/months/2026-03/{code}/signature-on-paper", billing.controller(), body)
    assert recorded.status_code == 200, recorded.text
    for action in ("approve", "issue"):
        assert (await billing.step(action, billing.approver(), code=code)).status_code == 200


async def history(billing: Billing) -> None:
    """Two months invoiced, one of them accepted on paper, the other credited in part after a late fact, and paid."""
    await billing.price()
    late = a_stay_fact(12)
    await billing.tell(late, a_stay_fact(4), a_stay_fact(9), a_stay_fact(10, municipality="1481"), a_stay_fact(1, municipality="1481"))
    assert (await billing.close_month()).status_code == 200
    await close_on_paper(billing)
    await billing.tell(late.model_copy(update={"case_version": 2, "cancelled": True}))
    for action, who in (
        ("prepare", billing.controller()),
        ("publish", billing.controller()),
        ("approve", billing.approver()),
        ("issue", billing.approver()),
    ):
        answer = await billing.step(action, who)
        assert answer.status_code == 200, answer.text
    async with billing.database.transaction(datetime(2026, 11, 30, 10, tzinfo=UTC)) as work:
        paid = Report(Status.PAID, amount=Money.of_kronor("1000.00"), paid_on=date(2026, 11, 29), reference="BG 1")
        await report(work, "2026-000001", paid, Actor("finance", "Ekonom"))
    for code in ("1480", "1481"):
        assert (await billing.get(f"/v1/months/2026-03/{code}", billing.controller())).status_code == 200
    await billing.number()


@pytest.fixture
async def books(new_database: Callable[[str], Access], tmp_path: Path) -> Access:
    """A billing database in which money has moved."""
    access = new_database("billing")
    async with a_billing(access.app, tmp_path, dispute_window_days=0) as billing:
        await history(billing)
    return access


@pytest.fixture
async def tampered(servers: Servers, books: Access) -> AsyncIterator[Tamper]:
    """Doctor's faults after a superuser, whom no trigger and no foreign key stops, has run a statement; it is undone afterwards."""
    database = Database(address(servers.admin_url, database=books.app.rpartition("/")[2]), role=None, pool_size=1, overflow=0)

    async def tamper(statement: str, checkpoint: Checkpoint | None = None, *, chained: bool = False) -> tuple[str, ...]:
        async with database.engine.connect() as connection:
            work = Work(connection, now())
            await connection.execute(text("SET LOCAL session_replication_role = replica"))
            for one in statement.split(";"):
                assert (await connection.exec_driver_sql(one)).rowcount > 0, one
            if chained:
                await chain_anew(work)
            found = (await look(work, "billing", checkpoint)).faults
            await connection.rollback()
        return found

    yield tamper
    await database.close()


async def faults_of(access: Access, checkpoint: Checkpoint | None = None) -> tuple[str, ...]:
    (finding,) = await examine({"billing": access}, checkpoint)
    return finding.faults


async def test_every_tampering_is_found(books: Access, tampered: Tamper) -> None:
    assert await faults_of(books) == ()
    missed = {}
    for what, (statement, expected) in TAMPERED.items():
        faults = await tampered(statement)
        if not any(expected in fault for fault in faults):
            missed[what] = faults
    assert missed == {}
    assert await faults_of(books) == ()


async def test_a_feed_that_is_rewritten_from_end_to_end_is_found_by_an_older_checkpoint(books: Access, tampered: Tamper) -> None:
    known = await take_checkpoint({"billing": books})
    assert await faults_of(books, known) == ()
    statement = "UPDATE feed_entries SET body = replace(body, 'controller', 'somebody') WHERE feed = 'access'"
    assert await tampered(statement, chained=True) == ()  # the chain itself is whole
    (fault,) = await tampered(statement, known, chained=True)
    assert fault.startswith("feed access, position 2: rewritten since the checkpoint")


async def test_a_feed_that_is_cut_off_with_its_head_is_found_by_an_older_checkpoint(books: Access, tampered: Tamper) -> None:
    known = await take_checkpoint({"billing": books})
    statement = "DELETE FROM feed_entries WHERE feed = 'access' AND position > 1"
    assert await tampered(statement, chained=True) == ()
    (fault,) = await tampered(statement, known, chained=True)
    assert fault.startswith("feed access, position 1: ends here, but reached 2")


async def test_what_comes_after_a_checkpoint_is_no_rewriting(books: Access, tmp_path: Path) -> None:
    known = await take_checkpoint({"billing": books})
    assert {head.feed for head in known.services["billing"].feeds} >= {"facts", "ledger", "invoices/issuer", "invoices/debtor/1480"}
    folder = tmp_path / "again"
    folder.mkdir()
    async with a_billing(books.app, folder, dispute_window_days=0) as billing:
        await billing.get("/v1/months/2026-03/1480", billing.controller())
        await billing.number()
    assert await faults_of(books, known) == ()
    later = await take_checkpoint({"billing": books})
    assert later.services != known.services


async def test_a_checkpoint_of_a_service_that_is_not_looked_at_says_nothing(books: Access) -> None:
    other = Checkpoint(
        format="dirigent-checkpoint/1",
        at="2026-11-22T06:00:00.000000Z",
        services={"planning": ServiceHeads(epoch=1, feeds=[Head(feed="facts", position=3, hash="0" * 64)])},
    )
    assert await faults_of(books, other) == ()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "not JSON"),
        ("[]", "is no checkpoint"),
        ('{"format":"dirigent-checkpoint/2","at":"x","services":{}}', "format"),
        (
            '{"format":"dirigent-checkpoint/1","at":"x","services":{"billing":{"epoch":1,"feeds":[{"feed":"a","position":-1,"hash":"00"}]}}}',
            "position",
        ),
    ],
)
def test_a_file_that_is_no_checkpoint_is_refused_in_one_line(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "checkpoint.json"
    file.write_text(content)
    with pytest.raises(CannotStart, match=said):
        read_checkpoint(file)
    with pytest.raises(CannotStart, match="cannot be read"):
        read_checkpoint(tmp_path / "none.json")


def test_a_checkpoint_comes_back_as_it_was_written(tmp_path: Path) -> None:
    head = Head(feed="ledger", position=7, hash="ab" * 32)
    taken = Checkpoint(
        format="dirigent-checkpoint/1", at="2026-11-22T06:00:00.000000Z", services={"billing": ServiceHeads(epoch=2, feeds=[head])}
    )
    file = tmp_path / "checkpoint.json"
    file.write_text(taken.model_dump_json(indent=2))
    assert read_checkpoint(file) == taken
    with pytest.raises(ValidationError):
        Checkpoint.model_validate(json.loads(file.read_text()) | {"more": 1})


async def chain_anew(work: Work) -> None:
    """Make the whole chain of the access log and its head fit what was changed in it."""
    running, last = GENESIS, 0
    rows = await work.connection.execute(text("SELECT position, body FROM feed_entries WHERE feed = 'access' ORDER BY position"))
    for row in rows.all():
        running, last = link(running, row.body), row.position
        values = {"hash": running, "position": last}
        await work.connection.execute(text("UPDATE feed_entries SET hash = :hash WHERE feed = 'access' AND position = :position"), values)
    await work.connection.execute(
        text("UPDATE feed_heads SET position = :position, hash = :hash WHERE feed = 'access'"), {"hash": running, "position": last}
    )
