import pytest

from services.notifications.channels import refuse_peer
from services.notifications.domain.targets import Target, TargetRefused

PUBLIC, OTHER = "93.184.215.14", "93.184.215.15"


def target(*, allowed: bool = False) -> Target:
    return Target("https://hooks.kommun.se/", "https", "hooks.kommun.se", 443, "/", allowed=allowed)


def test_the_address_that_was_checked_is_the_one_we_are_connected_to() -> None:
    refuse_peer(target(), PUBLIC, PUBLIC)
    refuse_peer(target(), "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "2606:2800:021f:cb07:6820:80da:af6b:8b2c")


@pytest.mark.parametrize(("wanted", "peer"), [(PUBLIC, OTHER), (PUBLIC, "10.0.0.1"), ("10.0.0.1", "10.0.0.1"), ("::1", "::1")])
def test_a_connection_to_anybody_else_or_to_a_private_address_is_not_used(wanted: str, peer: str) -> None:
    with pytest.raises(TargetRefused):
        refuse_peer(target(), wanted, peer)


def test_a_connection_that_the_operator_allows_may_be_private_but_goes_where_it_should() -> None:
    refuse_peer(target(allowed=True), "10.0.0.1", "10.0.0.1")
    with pytest.raises(TargetRefused):
        refuse_peer(target(allowed=True), "10.0.0.1", "10.0.0.2")
