import asyncio
from collections.abc import AsyncIterator

import pytest
from fastapi import Response
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OctKey, RSAKey

from services.gateway.auth import NotAuthenticated
from services.gateway.key_sources import KEPT_SECONDS, LOOK_AGAIN_SECONDS, LOOKS, STALE_SECONDS, KeyNotSeenYet, KeySources, public_keys
from tests.integration.gateway.key_server import Published, published

OLD, NEW = (ECKey.generate_key("P-256", {"kid": kid}).as_dict(private=False) for kid in ("old", "new"))


class Clock:
    def __init__(self) -> None:
        self.at = 10_000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
async def keys() -> AsyncIterator[Published]:
    async with published([OLD]) as told:
        yield told


def sources_of(keys: Published, clock: Clock | None = None) -> KeySources:
    return KeySources([keys.origin], clock=clock or Clock())


async def kids(sources: KeySources, url: str, kid: str | None = None) -> list[str | None]:
    return [key.kid for key in await sources.find(url, kid)]


async def test_keys_are_fetched_once_however_many_ask_at_once(keys: Published) -> None:
    sources = sources_of(keys)
    keys.seconds = 0.05
    found = await asyncio.gather(*(kids(sources, keys.url, "old") for _ in range(20)))
    assert (found, keys.asked) == ([["old"]] * 20, 1)


async def test_keys_are_fetched_again_after_five_minutes(keys: Published) -> None:
    clock = Clock()
    sources = sources_of(keys, clock)
    await kids(sources, keys.url)
    keys.keys = [NEW]
    clock.at += KEPT_SECONDS - 1
    assert await kids(sources, keys.url) == ["old"]
    clock.at += 2
    assert (await kids(sources, keys.url), keys.asked) == (["new"], 2)


async def test_an_unknown_key_is_looked_for_a_few_times_at_once_and_then_every_ten_seconds(keys: Published) -> None:
    clock = Clock()
    sources = sources_of(keys, clock)
    await kids(sources, keys.url, "old")
    for _ in range(LOOKS - 1):
        assert await kids(sources, keys.url, "never") == ["old"]
    keys.keys = [OLD, NEW]
    assert await kids(sources, keys.url, "new") == ["old", "new"]
    for _ in range(5):
        with pytest.raises(KeyNotSeenYet) as barred:
            await sources.find(keys.url, "never")
        assert barred.value.headers == {"Retry-After": str(int(LOOK_AGAIN_SECONDS))}
        assert await kids(sources, keys.url, "new") == ["old", "new"], "who names a key that is there is not held up"
    assert keys.asked == 1 + LOOKS
    clock.at += LOOK_AGAIN_SECONDS
    await kids(sources, keys.url, "never")
    with pytest.raises(KeyNotSeenYet):
        await sources.find(keys.url, "never")
    assert keys.asked == 2 + LOOKS
    clock.at += KEPT_SECONDS - 1
    for _ in range(LOOKS):
        await kids(sources, keys.url, "never")
    with pytest.raises(KeyNotSeenYet):
        await sources.find(keys.url, "never")
    assert keys.asked == 2 + 2 * LOOKS, "looks are not saved up beyond these few"


async def test_many_who_name_unknown_keys_at_once_share_a_look(keys: Published) -> None:
    sources = sources_of(keys)
    await kids(sources, keys.url, "old")
    keys.seconds = 0.05
    found = await asyncio.gather(*(kids(sources, keys.url, f"never-{number}") for number in range(20)))
    assert found == [["old"]] * 20
    assert keys.asked == 3, "one look that was under way when most of them came, and one begun after that"


async def test_keys_that_a_signature_did_not_fit_are_looked_for_again_while_there_are_looks(keys: Published) -> None:
    sources = sources_of(keys)
    unfit = await sources.find(keys.url, None)
    keys.keys = [NEW]
    assert [key.kid for key in await sources.find_other(keys.url, unfit)] == ["new"]
    assert [key.kid for key in await sources.find_other(keys.url, unfit)] == ["new"]
    assert keys.asked == 2, "others than those were there already"
    for _ in range(LOOKS - 1):
        await sources.find_other(keys.url, await sources.find(keys.url, None))
    with pytest.raises(NotAuthenticated):
        await sources.find_other(keys.url, await sources.find(keys.url, None))
    assert keys.asked == 1 + LOOKS


async def test_an_address_that_stops_answering_shuts_nobody_out_for_an_hour(keys: Published) -> None:
    clock = Clock()
    sources = sources_of(keys, clock)
    await kids(sources, keys.url)
    keys.answer = Response("away", 503)
    clock.at += KEPT_SECONDS + 1
    assert await kids(sources, keys.url) == ["old"]
    clock.at += STALE_SECONDS
    with pytest.raises(NotAuthenticated):
        await sources.find(keys.url, None)
    keys.answer = None
    clock.at += 10
    assert await kids(sources, keys.url) == ["old"]


@pytest.mark.parametrize("content", [b"", b"[]", b'{"keys":[]}', b'{"keys":7}', b"[" * 50_000, b" " * 70_000 + b'{"keys":[]}'], ids=len)
async def test_what_is_no_key_set_is_none(keys: Published, content: bytes) -> None:
    keys.answer = Response(content)
    with pytest.raises(NotAuthenticated):
        await sources_of(keys).find(keys.url, None)


async def test_no_redirect_is_followed(keys: Published) -> None:
    with pytest.raises(NotAuthenticated):
        await sources_of(keys).find(f"{keys.origin}/moved", None)
    assert keys.asked == 0


async def test_a_private_address_is_not_called_unless_the_operator_allows_its_origin(keys: Published) -> None:
    port = keys.origin.rpartition(":")[2]
    for url in (keys.url, f"https://127.0.0.1:{port}/keys", "https://[::ffff:127.0.0.1]/keys", "https://localhost/keys"):
        with pytest.raises(NotAuthenticated):
            await KeySources().find(url, None)
    assert keys.asked == 0


async def test_a_name_that_leads_to_a_private_address_is_not_called() -> None:
    async def inwards(_host: str, _port: int) -> list[str]:
        return ["93.184.216.34", "10.0.0.1"]

    with pytest.raises(NotAuthenticated):
        await KeySources(resolver=inwards).find("https://keys.vgregion.se/keys", None)


def test_only_public_keys_that_can_verify_are_taken() -> None:
    with pytest.warns(SecurityWarning):
        short = RSAKey.generate_key(1024, {"kid": "short"})
    stated = [
        OLD,
        ECKey.generate_key("P-256", {"kid": "private"}).as_dict(private=True),
        ECKey.generate_key("P-384", {"kid": "p384"}).as_dict(private=False),
        RSAKey.generate_key(2048, {"kid": "rsa"}).as_dict(private=False),
        short.as_dict(private=False),
        OctKey.generate_key(256, {"kid": "shared"}).as_dict(private=True),
        {**NEW, "kid": "encrypts", "use": "enc"},
        {"kty": "EC", "crv": "P-256", "kid": "broken"},
        "text",
    ]
    found = list(public_keys({"keys": stated}))
    assert [key.kid for key in found] == ["old", "private", "rsa"]
    assert not any(key.is_private for key in found)
