import pytest

from services.notifications.domain.targets import TargetRefused, is_permission, read_target, refuse_private

ALLOWED = ("http://127.0.0.1:9000", "https://[::1]:*")


def why_refused(url: str, allowed: tuple[str, ...] = (), permitted: tuple[str, ...] = ()) -> str:
    with pytest.raises(TargetRefused) as raised:
        read_target(url, allowed, permitted)
    return raised.value.code


def test_a_public_https_address_is_taken_apart_as_it_stands() -> None:
    target = read_target("https://Hooks.Kommun.se/dirigent/in?key=a%2Fb")
    assert (target.host, target.port, target.path, target.authority) == (
        "hooks.kommun.se",
        443,
        "/dirigent/in?key=a%2Fb",
        "hooks.kommun.se",
    )
    assert not target.allowed


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://hooks.kommun.se/", "url_not_https"),
        ("ftp://hooks.kommun.se/", "url_malformed"),
        ("//hooks.kommun.se/", "url_malformed"),
        ("hooks.kommun.se", "url_malformed"),
        ("https://", "url_malformed"),
        ("https:///path", "url_malformed"),
        ("", "url_malformed"),
        ("https://hooks.kommun.se:8443/", "url_port_not_allowed"),
        ("https://hooks.kommun.se:0/", "url_port_not_allowed"),
        ("https://hooks.kommun.se:99999/", "url_malformed"),
        ("https://hooks.kommun.se:x/", "url_malformed"),
        ("https://user:word@hooks.kommun.se/", "url_with_credentials"),
        ("https://hooks.kommun.se@evil.se/", "url_with_credentials"),
        ("https://hooks.kommun.se/#part", "url_with_fragment"),
        ("https://hooks.kommun.se\\@evil.se/", "url_malformed"),
        ("https://hooks.kommun.se/a b", "url_malformed"),
        ("https://hooks.kommun.se/a\nb", "url_malformed"),
        ("https://hooks.kommun.se/\x00", "url_malformed"),
        ("https://håkan.se/", "url_malformed"),
        ("https://ｋommun.se/", "url_malformed"),
        ("https://hooks.kommun.se/" + "a" * 1000, "url_malformed"),
        ("https://localhost/", "url_not_public"),
        ("https://localhost./", "url_not_public"),
        ("https://intranet/", "url_not_public"),
        ("https://server.internal/", "url_not_public"),
        ("https://printer.local/", "url_not_public"),
        ("https://a..b.se/", "url_not_public"),
        ("https://-a.se/", "url_not_public"),
        ("https://a_b.se/", "url_not_public"),
        ("https://" + "a" * 64 + ".se/", "url_not_public"),
        ("https://127.0.0.1/", "url_not_a_name"),
        ("https://2130706433/", "url_not_a_name"),
        ("https://0x7f000001/", "url_not_a_name"),
        ("https://0x7f.1/", "url_not_a_name"),
        ("https://0177.0.0.1/", "url_not_a_name"),
        ("https://127.1/", "url_not_a_name"),
        ("https://8.8.8.8/", "url_not_a_name"),
        ("https://8.8.8.8./", "url_not_a_name"),
        ("https://[::1]/", "url_not_a_name"),
        ("https://[::ffff:127.0.0.1]/", "url_not_a_name"),
        ("https://[v1.kommun.se]/", "url_not_a_name"),
        ("https://[::1/", "url_malformed"),
    ],
)
def test_an_address_that_may_not_be_called_is_refused_with_its_reason(url: str, code: str) -> None:
    assert why_refused(url) == code


def test_what_the_operator_allows_by_name_may_be_private_and_plain() -> None:
    assert read_target("http://127.0.0.1:9000/in", ALLOWED).allowed
    assert read_target("https://[::1]:8443/", ALLOWED).authority == "[::1]:8443"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9001/", "https://127.0.0.1:9000/", "http://127.0.0.1/", "http://127.0.0.1:9000@evil.se/"]
)
def test_what_is_only_near_an_allowed_origin_is_not_allowed(url: str) -> None:
    assert why_refused(url, ALLOWED)


PERMITTED = ("hooks.kommun.se", ".region.se")


@pytest.mark.parametrize(
    "url", ["https://hooks.kommun.se/", "https://Hooks.Kommun.SE./", "https://hooks.region.se/", "https://a.b.region.se/in?x=1"]
)
def test_where_the_operator_names_hosts_these_and_those_below_his_suffixes_may_be_called(url: str) -> None:
    assert not read_target(url, (), PERMITTED).allowed


@pytest.mark.parametrize(
    "url",
    [
        "https://kommun.se/",
        "https://evil-hooks.kommun.se/",
        "https://a.hooks.kommun.se/",
        "https://region.se/",
        "https://evilregion.se/",
        "https://hooks.region.se.evil.se/",
        "https://evil.se/.region.se",
        "https://evil.se/?hooks.kommun.se",
    ],
)
def test_where_the_operator_names_hosts_no_other_public_one_may_be_called(url: str) -> None:
    assert not read_target(url).allowed
    assert why_refused(url, (), PERMITTED) == "url_not_permitted"


def test_naming_hosts_opens_nothing_and_closes_no_origin_that_is_allowed_by_name() -> None:
    assert why_refused("http://hooks.kommun.se/", (), PERMITTED) == "url_not_https"
    assert why_refused("https://127.0.0.1/", (), ("127.0.0.1",)) == "url_not_a_name"
    assert read_target("http://127.0.0.1:9000/in", ALLOWED, PERMITTED).allowed


def test_a_permission_is_a_plain_host_name_or_a_suffix() -> None:
    assert all(map(is_permission, PERMITTED))
    for entry in (
        "",
        ".",
        "*.kommun.se",
        "*",
        "https://kommun.se",
        "kommun.se:443",
        "kommun.se/",
        "127.0.0.1",
        "localhost",
        "kommun.se.",
        "..se.se",
    ):
        assert not is_permission(entry), entry


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "0.0.0.0",  # noqa: S104  # nothing is bound: the address is refused
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.0.192",
        "::ffff:192.0.0.192",
        "168.63.129.16",
        "192.88.99.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:7f00:1",
        "64:ff9b::a00:1",
        "64:ff9b:1::a00:1",
        "3fff::1",
        "5f00::1",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "nonsense",
    ],
)
def test_a_name_that_resolves_to_anything_not_public_is_refused_even_beside_public_addresses(address: str) -> None:
    with pytest.raises(TargetRefused):
        refuse_private(["93.184.215.14", address])


def test_public_addresses_pass_in_every_form() -> None:
    refuse_private(["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:93.184.215.14", "64:ff9b::5db8:d70e"])


def test_a_name_that_resolves_to_nothing_is_refused() -> None:
    with pytest.raises(TargetRefused):
        refuse_private([])
