"""Looking for persons in clear wherever a running Dirigent leaves anything: tables, queue, files, mails, logs, metrics (P14).

What is looked for: numbers in 12 and 10 digits, with and without a hyphen, personal and coordination numbers and those that the region
gives out itself; and the names and streets of whoever the tests tell of. A number of Skatteverket's test series is found whether or not
anybody remembers to have sent it.
"""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import httpx
from redis.asyncio import Redis
from sqlalchemy import text
from stdnum import luhn

from services.planning.repository.sealing import case_of, merge_of, notice_of, opened_event, opened_value, plan_of
from shared.db import Database

Found = tuple[str, bytes]
"""A place, and what stands there."""

_RUN: Final = re.compile(rb"[0-9]{6}[-+0-9A-Z]{4,}")
_LONG: Final = re.compile(rb"(?=((?:18|19|20)[0-9]{6}[-+]?(?:[0-9]{4}|[A-Z][0-9]{3})))")
_SHORT: Final = re.compile(rb"(?<![0-9])[0-9]{6}[-+]?(?:[0-9]{4}|[A-Z][0-9]{3})(?![0-9])")
# Skatteverket's test series, which were given to nobody: 98 before the last two of those who would be 116 and more (day + 60 in a
# coordination number), 238 and 239 of children.
_SERIES: Final = re.compile(
    rb"(?<![0-9])(?:(?:189|190)[0-9](?:0[1-9]|1[0-2])[0-36-9][0-9][-+]?98[0-9]{2}"
    rb"|20(?:0[6-9]|1[0-9]|2[0-3])(?:0[1-9]|1[0-2])[0-36-9][0-9][-+]?23[89][0-9])(?![0-9])"
)
_HEX: Final = re.compile(rb"\\x((?:[0-9a-f]{2}){5,})")
_CENTURY: Final = 2


@dataclass(frozen=True)
class Canaries:
    """Who must not be found: numbers in full, names and streets."""

    numbers: frozenset[str]
    names: frozenset[str]

    @classmethod
    def of(cls, persons: Iterable[dict[str, Any]]) -> "Canaries":
        """Those of persons as events tell of them; given names are left out, which staff have, too."""
        numbers, names = set(), set()
        for person in persons:
            numbers.add(str(person["id"]))
            names |= {part for part in ((person.get("name") or {}).get("family"), _street(person)) if part}
        return cls(frozenset(numbers), frozenset(names))

    def __or__(self, other: "Canaries") -> "Canaries":
        return Canaries(self.numbers | other.numbers, self.names | other.names)

    def within(self, content: bytes) -> set[str]:
        """Which of them stand in some bytes; bytes that a row shows as hexadecimal digits are read, too."""
        shown = b"".join(bytes.fromhex(one.decode()) + b"\n" for one in _HEX.findall(content))
        return self._numbers(content) | self._names(content) | (self.within(shown) if shown else set())

    def _numbers(self, content: bytes) -> set[str]:
        found = set()
        for run in _RUN.findall(content):
            found |= {number for written in _LONG.findall(run) if (number := _plain(written)) in self.numbers}
            found |= {self._short[number] for written in _SHORT.findall(run) if (number := _plain(written)) in self._short}
            found |= {number for written in _SERIES.findall(run) if luhn.is_valid((number := _plain(written))[_CENTURY:])}
        return found

    def _names(self, content: bytes) -> set[str]:
        lower = content.lower()
        return {name for form, name in self._written.items() if form in lower}

    @cached_property
    def _short(self) -> dict[str, str]:
        return {number[_CENTURY:]: number for number in self.numbers}

    @cached_property
    def _written(self) -> dict[bytes, str]:
        return {form: name for name in self.names for form in _forms(name)}


def _street(person: dict[str, Any]) -> str | None:
    """The street without the number of the house."""
    street = (person.get("registered_address") or {}).get("street")
    return re.sub(r"\s+[0-9]+\s*\w?$", "", street) if street else None


def _plain(written: bytes) -> str:
    return written.decode().replace("-", "").replace("+", "")


def _forms(name: str) -> set[bytes]:
    """A name as programs write it: UTF-8, Latin-1 and with the escapes of JSON."""
    low = name.lower()
    return {low.encode(), low.encode("latin-1", "replace"), json.dumps(low)[1:-1].encode()}


async def in_database(name: str, owner_url: str) -> AsyncIterator[Found]:
    """Every row of every table of a database, as its owner sees it."""
    database = Database(owner_url, role=None)
    listed = "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    try:
        async with database.transaction() as work:
            for schema, table in (await work.connection.execute(text(listed))).all():
                rows = await work.connection.execute(text(f'SELECT t::text FROM "{schema}"."{table}" AS t'))  # noqa: S608  # our own table
                for row in rows.scalars():
                    yield f"{name}.{table}", row.encode()
    finally:
        await database.close()


_REDIS: Final[dict[bytes, Callable[[Any, bytes], Awaitable[Any]]]] = {
    b"string": lambda redis, key: redis.get(key),
    b"list": lambda redis, key: redis.lrange(key, 0, -1),
    b"hash": lambda redis, key: redis.hgetall(key),
    b"set": lambda redis, key: redis.smembers(key),
    b"zset": lambda redis, key: redis.zrange(key, 0, -1, withscores=True),
    b"stream": lambda redis, key: redis.xrange(key),
}


async def in_redis(url: str) -> AsyncIterator[Found]:
    """Every key of a queue, and everything under it."""
    async with Redis.from_url(url) as redis:
        async for key in redis.scan_iter(count=1_000):
            kind: Any = await redis.type(key)
            yield f"redis {key.decode()}", key + b"\n" + b"\n".join(_leaves(await _REDIS[kind](redis, key)))


def _leaves(value: Any) -> Iterator[bytes]:
    """Everything inside a value of Redis; what is a number there says nothing as a float."""
    match value:
        case bytes():
            yield value
        case dict():
            for name, one in value.items():
                yield from (*_leaves(name), *_leaves(one))
        case list() | tuple() | set():
            for one in value:
                yield from _leaves(one)


def in_files(folder: Path, *, but: Iterable[str] = ()) -> Iterator[Found]:
    """Every file under a folder, databases' own files and the queue's log with them; of a mail also what its reader sees.

    Args:
        folder: The folder.
        but: Names of folders and files that hold persons on purpose.
    """
    left_out = set(but)
    for file in sorted(folder.rglob("*")):
        if file.is_symlink() or set(file.relative_to(folder).parts) & left_out:
            continue
        try:
            content = file.read_bytes() if file.is_file() else b""
        except FileNotFoundError:
            continue  # PostgreSQL takes a log of its own away while we look.
        where = str(file.relative_to(folder))
        yield where, where.encode() + b"\n" + content
        if file.suffix == ".eml":
            yield f"{where} as read", _as_read(content)


def _as_read(mail: bytes) -> bytes:
    message = message_from_bytes(mail, policy=default)
    bodies = [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]
    return "\n".join([*(str(value) for value in message.values()), *map(str, bodies)]).encode()


async def in_metrics(url: str) -> AsyncIterator[Found]:
    """What an operator's monitoring reads."""
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(f"{url}/metrics")
    assert answer.is_success, answer.text
    yield "metrics", answer.content


async def sealed_persons(planning_url: str) -> list[dict[str, Any]]:
    """Every person that planning keeps, opened with the keys of this process: in events, cases, notices, plans and merges that wait."""
    database = Database(planning_url, role=None)
    places: dict[str, Callable[[Any], Any]] = {
        "SELECT body FROM events": lambda row: opened_event(row.body)["data"].get("person"),
        "SELECT id, person FROM cases WHERE person IS NOT NULL": lambda row: opened_value(row.person, of=case_of(row.id)),
        "SELECT id, personal FROM notices WHERE personal IS NOT NULL": _told_in_notice,
        "SELECT id, person FROM plans WHERE person IS NOT NULL": lambda row: opened_value(row.person, of=plan_of(row.id)),
        "SELECT id, person FROM waiting_merges": lambda row: opened_value(row.person, of=merge_of(row.id)),
    }
    try:
        async with database.transaction() as work:
            found = [opened(row) for statement, opened in places.items() for row in (await work.connection.execute(text(statement))).all()]
    finally:
        await database.close()
    return [person for person in found if person and "id" in person]


def _told_in_notice(row: Any) -> Any:  # a row
    return opened_value(row.personal, of=notice_of(row.id)).get("person")
