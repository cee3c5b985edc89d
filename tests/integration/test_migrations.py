"""Every service's tables say the same as its migrations have made of a real database."""

from dirigent.databases import Access
from dirigent.migrate import check, migrate


async def test_every_database_after_migration_has_exactly_the_tables_of_its_service(databases: dict[str, Access]) -> None:
    assert await check(databases) == []


async def test_migrating_again_changes_nothing(databases: dict[str, Access]) -> None:
    await migrate(databases)
    assert await check(databases) == []
