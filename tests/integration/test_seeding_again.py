from dirigent.county.clients import demo_clients
from dirigent.county.load import load_county
from dirigent.seed import _enter_clients
from services.gateway.clients import list_clients, revoke_client
from shared.db import Database


async def test_a_demo_that_starts_again_lets_nobody_in_whom_the_operator_put_out(gateway_database: str) -> None:
    clients = demo_clients(load_county())
    secrets = {client.id: "only-for-tests" for client in clients}
    await _enter_clients(gateway_database, clients[:3], secrets)
    database = Database(gateway_database)
    async with database.transaction() as work:
        assert await revoke_client(work, clients[0].id)
    await _enter_clients(gateway_database, clients[:3], secrets)
    async with database.transaction() as work:
        assert {known.client_id for known in await list_clients(work)} == {client.id for client in clients[1:3]}
    await database.close()
