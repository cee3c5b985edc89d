"""The same statements for one admission, run by pgbench on the same database: what the database could do if nobody else needed time.

The script is made of the product's own SQL (`services.planning.repository`) with the values of a real admission in it.
"""

import asyncio
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from benchmarks.stories import Stories
from dirigent.county.load import load_county
from services.planning.repository import directory, intake, notices
from services.planning.repository.sealing import notice_of, sealed_json
from services.planning.translation import case_event
from services.planning.usecases.folding import addressed, case_row, collect, folded
from services.planning.usecases.intake import statement, told
from services.planning.usecases.joining import Story
from services.planning.usecases.mailing import Post
from shared.dates import now
from shared.db import Database, Role
from shared.http.auth import Caller
from shared.identifiers import uuid7
from shared.streams import outbox

_PARAMETER: Final = re.compile(r"(?<!:):([a-z_]+)")
_TPS: Final = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
_NUMBERS: Final = 9_000_000_000_000
Values = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Admission:
    """What the intake writes for one admission."""

    event: intake.EventRow
    said: Sequence[str]
    case: intake.CaseRow
    line: intake.HistoryRow
    post: Post


async def _one_admission(url: str) -> Admission:
    county = load_county()
    caller = Caller("ward-benchmark", county.organisation, (f"SE{county.organisation}-",), frozenset({"events:write"}), "ward")
    item = statement(Stories("pgbench").admission(), caller, now(), None)
    story = Story()
    story.tell(case_event(item.value, item.row.sent_at), history=False)
    database = Database(url, pool_size=1, overflow=0)
    async with database.transaction() as work:
        reach = await directory.reach_of(work, sorted(addressed(story.events)))
    await database.close()
    whole = folded(uuid7(), story, reach)
    line = told(whole, item, 0)
    post = Post()
    collect(whole, now(), post)
    said = intake.each_with_its_units([(item.row.client, item.unit_prefixes)])["gathered"]
    return Admission(item.row, said, case_row(whole), line, post)


def _text(value: str | None) -> str:
    """A text as an expression that pgbench finds no variable in: it would take `:null` in JSON for one."""
    return "NULL" if value is None else f"convert_from(CAST('\\x{value.encode().hex()}' AS bytea), 'UTF8')"


def _array(*expressions: str) -> str:
    return f"ARRAY[{', '.join(expressions)}]"


def _texts(*values: str | None) -> str:
    return _array(*(_text(value) for value in values))


def _uuids(what: str, count: int) -> str:
    """Ids that no other transaction has."""
    return _array(*(f"CAST(md5('{what}{number}' || CAST(:n AS text)) AS uuid)" for number in range(count)))


def _statement(sql: object, values: Values, end: str = ";") -> str:
    written = _PARAMETER.sub(lambda match: values[match[1]], str(sql))
    return " ".join(written.split()) + end


def _script(told: Admission) -> str:
    event, case, line, post = told.event, told.case, told.line, told.post
    subject, case_id, count = "'s-' || CAST(:n AS text)", _uuids("case", 1), len(post.notices)
    same_case = _array(*(_uuids("case", 1)[len("ARRAY[") : -1] for _ in range(max(count, len(post.staged)))))
    at = _array("now()")
    stay = {"spaces": _texts(event.provider), "providers": _texts(event.provider), "subjects": _array(subject)}
    steps = [
        "\\set n random(1, 9000000000000)",
        "BEGIN;",
        _statement(intake.SAY_FOR_WHOM, {"gathered": _texts(*told.said)}),
        _statement(
            intake.INSERT_EVENTS,
            stay
            | {
                "sources": _texts(event.source),
                "wards": _texts(event.ward),
                "ids": _array("'e-' || CAST(:n AS text)"),
                "sent": at,
                "received": at,
            }
            | {"by_command": "false", "history": _array("false"), "clients": _texts(event.client), "bodies": _texts(event.body)}
            | {"fingerprints": _array(f"CAST('\\x{event.fingerprint.hex()}' AS bytea)")},
            " \\gset event_",
        ),
        _statement(intake.INSERT_CASES, stay | {"ids": case_id}),
        _statement(directory.BY_RECIPIENT, {"recipients": _texts(*(notice.recipient for notice in post.notices))}),
        _statement(
            intake.UPDATE_CASES,
            {"at": "now()", "ids": case_id, "versions": _array("1"), "states": _texts(case.state), "wards": _texts(case.ward)}
            | {"care_types": _texts(case.care_type), "municipalities": _texts(case.municipality), "units": _texts(case.outpatient_unit)}
            | {"parties": _texts(case.parties), "views": _texts(case.view), "persons": _texts(case.person)}
            | {"person_id": _texts(case.person_id), "person_ids": _texts(case.person_ids), "joined_to": _array("NULL")},
        ),
        _statement(
            intake.INSERT_HISTORY,
            {"cases": case_id, "versions": _array("1"), "ats": at, "clients": _texts(line.client), "whats": _texts(line.what)}
            | {"event_rows": _array(":event_id"), "answers": _texts(line.answer)},
        ),
        _statement(notices.INSERT_NOTICES, _notices(post, same_case)),
        _statement(outbox.STAGE, _staged(post, same_case)),
        "COMMIT;",
    ]
    return "\n".join(steps) + "\n"


def _notices(post: Post, same_case: str) -> Values:
    rows, count = post.notices, len(post.notices)
    return {
        "ids": _uuids("notice", count),
        "mailboxes": _array(*(f"CAST('{row.mailbox}' AS uuid)" for row in rows)),
        "cases": f"({same_case})[1:{count}]",
        "recipients": _texts(*(row.recipient for row in rows)),
        "types": _texts(*(row.type for row in rows)),
        "origins": _texts(*(row.origin for row in rows)),
        "fingerprints": _texts(*(row.fingerprint for row in rows)),
        "revisions": _array(*("1" for _ in rows)),
        "sent": _array(*("now()" for _ in rows)),
        "supersedes": _array(*("NULL" for _ in rows)),
        "envelopes": _texts(*(row.envelope for row in rows)),
        "personals": _texts(*(None if row.personal is None else sealed_json(row.personal, of=notice_of(row.id)) for row in rows)),
    }


def _staged(post: Post, same_case: str) -> Values:
    return {
        "feeds": _texts(*(entry.feed for entry in post.staged)),
        "ids": _uuids("entry", len(post.staged)),
        "kinds": _texts(*(entry.kind for entry in post.staged)),
        "subjects": f"({same_case})[1:{len(post.staged)}]",
        "bodies": _texts(*(entry.body for entry in post.staged)),
    }


def find_pgbench(beside: Path) -> str | None:
    """The program, beside the server's own or on the PATH."""
    return str(beside / "pgbench") if (beside / "pgbench").exists() else shutil.which("pgbench")


async def run(url: str, programs: Path, folder: Path, *, clients: Sequence[int], seconds: int) -> dict[int, float]:
    """Transactions per second for each number of clients; empty when there is no pgbench.

    Raises:
        RuntimeError: pgbench failed.
    """
    program = find_pgbench(programs)
    if program is None:
        return {}
    script = folder / "admission.sql"
    await asyncio.to_thread(script.write_text, _script(await _one_admission(url)))
    parts = urlsplit(url)
    role = Role.INTAKE.of(str(parts.username))
    environment = {"PGPASSWORD": unquote(parts.password or ""), "PATH": "/usr/bin:/bin", "PGOPTIONS": f"-c role={role}"}
    where = ("-h", str(parts.hostname), "-p", str(parts.port), "-U", str(parts.username))
    found: dict[int, float] = {}
    for count in clients:
        how = ("-n", "-M", "prepared", "-c", str(count), "-j", "2", "-T", str(seconds), "-f", str(script))
        ended = await asyncio.create_subprocess_exec(
            *(program, *where, *how, parts.path.removeprefix("/")),
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        said, complaint = await ended.communicate()
        rate = _TPS.search(said.decode())
        if ended.returncode or rate is None:
            raise RuntimeError(f"pgbench: {complaint.decode(errors='replace').strip().splitlines()[-1]}")
        found[count] = float(rate[1])
    return found
