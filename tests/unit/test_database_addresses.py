"""Addresses of databases are derived from one another without losing or showing anything."""

import pytest

from dirigent.databases import Access, address, dsn, embedded_access
from dirigent.failure import CannotStart
from dirigent.migrate import from_environment
from dirigent.supervisor.addresses import named_databases


def test_an_address_keeps_server_and_options_when_role_and_database_change() -> None:
    derived = address(
        "postgres://admin:secret@db.example:6432/postgres?sslmode=require", user="app", password="pw", database="dirigent_planning"
    )
    assert derived == "postgresql+asyncpg://app:pw@db.example:6432/dirigent_planning?ssl=require"


def test_an_address_without_changes_keeps_its_role() -> None:
    assert address("postgresql://a:b@h/c") == "postgresql+asyncpg://a:b@h/c"


def test_the_driver_s_own_address_names_encryption_the_driver_s_way() -> None:
    assert dsn("postgresql+asyncpg://a:b@h/c?ssl=require") == "postgresql://a:b@h/c?sslmode=require"


def test_every_service_has_its_own_database_and_role() -> None:
    passwords = dict.fromkeys(("planning", "billing", "notifications", "gateway"), "pw")
    access = embedded_access("postgresql://admin:x@h:1/postgres", owner_password="own", app_passwords=passwords)
    assert access["billing"].app == "postgresql+asyncpg://dirigent_billing_app:pw@h:1/dirigent_billing"
    assert access["billing"].owner == "postgresql+asyncpg://dirigent_owner:own@h:1/dirigent_billing"
    assert access["billing"].app_role == "dirigent_billing_app"


def test_an_access_does_not_show_its_passwords() -> None:
    assert "secret" not in repr(Access(app="postgresql://a:secret@h/d", owner="postgresql://o:secret@h/d"))


def test_the_migrating_role_is_the_app_role_when_no_owner_is_given() -> None:
    access = from_environment(["billing"], {"DIRIGENT_BILLING_DATABASE_URL": "postgresql://a:b@h/d"})
    assert access["billing"].owner == access["billing"].app == "postgresql+asyncpg://a:b@h/d"


def test_migrating_without_an_address_is_refused_by_name() -> None:
    with pytest.raises(CannotStart, match="DIRIGENT_PLANNING_DATABASE_URL is not set"):
        from_environment(["planning"], {"DATABASE_URL": "postgresql://another:program@h/d"})


def test_a_database_address_of_another_program_is_never_taken() -> None:
    assert not named_databases({"DATABASE_URL": "postgresql://another:program@h/d"})
