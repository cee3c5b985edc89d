"""A service does not start where row-level security would not hold for who logs in: too mighty itself, or mighty by what it inherits."""

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import asyncpg
import pytest

from dirigent.databases import OWNER, Access, address, dsn
from shared.db import Database, DatabaseUnsafe, Role
from tests.servers import PASSWORD, Servers

LOGIN = "test_power_app"
BESIDE = tuple(role.of(LOGIN) for role in Role if role is not Role.APP)
OTHERS = ("test_power_between", "test_power_above")
Run = Callable[[str], Coroutine[Any, Any, object]]


@pytest.fixture
async def admin(servers: Servers) -> AsyncIterator[Run]:
    """Runs statements as a superuser; the roles of these tests, as `provision` makes them, are there while it is."""
    connection = await asyncpg.connect(dsn(servers.admin_url))
    await connection.execute(f"CREATE ROLE {LOGIN} LOGIN PASSWORD '{PASSWORD}' NOINHERIT")
    for role in (*BESIDE, *OTHERS):
        await connection.execute(f"CREATE ROLE {role} NOLOGIN")
    for role in BESIDE:
        await connection.execute(f"GRANT {role} TO {LOGIN}")
    yield connection.execute
    for role in (LOGIN, *BESIDE, *OTHERS):
        await connection.execute(f"DROP ROLE {role}")
    await connection.close()


async def start(access: Access) -> None:
    database = Database(address(access.app, user=LOGIN, password=PASSWORD), role=Role.APP, pool_size=1, overflow=0)
    try:
        await database.refuse_unsafe()
    finally:
        await database.close()


async def test_a_role_that_may_become_others_and_has_none_of_their_rights_is_accepted(
    admin: Run, new_database: Callable[[str], Access]
) -> None:
    await start(new_database("planning"))


@pytest.mark.parametrize(
    ("statements", "named"),
    [
        (["ALTER ROLE {login} INHERIT", "REVOKE {worker} FROM {login}", "GRANT {worker} TO {login}"], "rights of"),
        (["ALTER ROLE {login} INHERIT", "REVOKE {auditor} FROM {login}", "GRANT {auditor} TO {login}"], "rights of"),
        (["ALTER ROLE {login} INHERIT", "GRANT {intake} TO {between}", "GRANT {between} TO {login}"], "rights of"),
        (["GRANT {owner} TO {login}"], "owns"),
        (["ALTER ROLE {above} BYPASSRLS", "GRANT {above} TO {login}"], "above"),
        (["ALTER ROLE {above} SUPERUSER", "GRANT {above} TO {between}", "GRANT {between} TO {login}"], "above"),
        (["ALTER ROLE {login} BYPASSRLS"], "bypasses"),
        (["ALTER ROLE {login} SUPERUSER"], "superuser"),
    ],
    ids=[
        "inherits worker",
        "inherits auditor",
        "inherits through another",
        "the owner's",
        "a bypasser's",
        "a superuser's",
        "bypasses",
        "super",
    ],
)
async def test_a_role_with_more_power_than_that_is_refused(
    admin: Run, new_database: Callable[[str], Access], statements: list[str], named: str
) -> None:
    access = new_database("planning")
    names = {role.value: role.of(LOGIN) for role in Role} | {"between": OTHERS[0], "above": OTHERS[1], "login": LOGIN, "owner": OWNER}
    await start(access)
    for statement in statements:
        await admin(statement.format(**names))
    with pytest.raises(DatabaseUnsafe, match=named):
        await start(access)
