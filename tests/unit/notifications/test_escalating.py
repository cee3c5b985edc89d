"""Which contact hears of what."""

from services.notifications.domain.escalating import Called, Contact, Matter, Step, is_about, matters, needs_every, to_write_to

OWN, BOX = "2120001355", "0192f0e0-0000-7000-8000-000000000001"
UNIT = f"SE{OWN}-E1"


def a_contact(
    email: str = "a@kommun.se", *, units: tuple[str, ...] = (f"SE{OWN}-",), mailbox: str | None = None, step: Step = "contact"
) -> Contact:
    return Contact(OWN, units, mailbox, email, step, "sv")


def a_matter(
    step: Step = "contact",
    *,
    units: tuple[str, ...] = (UNIT,),
    organisation: str = OWN,
    on_call: tuple[str, str] | None = None,
    every: bool = False,
) -> Matter:
    return Matter(organisation, units, BOX, step, None if on_call is None else ((on_call[0],), on_call[1]), every)


def told(contacts: list[Contact], matter: Matter) -> list[str]:
    return [contact.email for contact in to_write_to(contacts, matter)]


def test_a_contact_hears_from_its_step_on() -> None:
    contacts = [a_contact("first@kommun.se"), a_contact("second@kommun.se", step="on_call"), a_contact("third@kommun.se", step="operator")]
    assert told(contacts, a_matter("contact")) == ["first@kommun.se"]
    assert told(contacts, a_matter("on_call")) == ["first@kommun.se", "second@kommun.se"]
    assert told(contacts, a_matter("operator")) == ["first@kommun.se", "second@kommun.se", "third@kommun.se"]


def test_a_contact_of_one_mailbox_hears_of_that_one_only() -> None:
    assert told([a_contact(mailbox=BOX)], a_matter()) == ["a@kommun.se"]
    assert told([a_contact(mailbox="another")], a_matter()) == []


def test_contacts_of_whoever_is_on_call_hear_of_it_and_of_no_other_mailbox() -> None:
    other_unit, on_call = f"SE{OWN}-E2", "0192f0e0-0000-7000-8000-000000000002"
    matter = a_matter("on_call", on_call=(other_unit, on_call))
    assert told([a_contact(units=(other_unit,), mailbox=on_call, step="on_call")], matter) == ["a@kommun.se"]
    assert told([a_contact(units=(other_unit,), step="on_call")], matter) == ["a@kommun.se"]
    assert told([a_contact(mailbox=on_call)], matter) == told([a_contact(mailbox=BOX)], matter) == ["a@kommun.se"]
    assert told([a_contact(units=(other_unit,), mailbox=BOX)], matter) == []
    assert told([a_contact(units=(UNIT,), mailbox=on_call)], matter) == []
    assert told([a_contact(units=(f"SE{OWN}-E3",))], matter) == []


def test_units_and_organisations_of_others_are_nobodys_business() -> None:
    assert told([a_contact(units=(f"SE{OWN}-E2",))], a_matter()) == []
    assert told([a_contact()], a_matter(organisation="2120001363")) == []
    assert told([a_contact(units=(UNIT,))], a_matter(units=())) == []
    assert told([a_contact(units=(UNIT,))], a_matter(units=(f"SE{OWN}-",), every=True)) == []


def test_an_address_is_written_to_once() -> None:
    assert told([a_contact("a@kommun.se"), a_contact("A@kommun.se", mailbox=BOX)], a_matter()) == ["a@kommun.se"]


def test_what_is_the_organisations_as_a_whole_belongs_to_whoever_speaks_for_all_of_it() -> None:
    assert is_about(OWN, (f"SE{OWN}-",), OWN, [], every=False)
    assert not is_about(OWN, (UNIT,), OWN, [], every=False)


def test_a_webhook_concerns_who_may_hear_of_all_its_units_and_a_notice_whoever_reads_for_one_of_them() -> None:
    assert (needs_every("webhook.exhausted"), needs_every("notice.unacknowledged")) == (True, False)
    assert is_about(OWN, (UNIT,), OWN, [UNIT, f"SE{OWN}-E2"], every=False)
    assert not is_about(OWN, (UNIT,), OWN, [UNIT, f"SE{OWN}-E2"], every=True)


def test_what_stands_in_a_teams_mailbox_matters_to_every_organisation_that_reads_it_and_to_whoever_is_on_call() -> None:
    team, on_call, third = "SE2321000131-T1", "0192f0e0-0000-7000-8000-000000000002", "2120001363"
    reading = {"2321000131": (team,), OWN: (UNIT,)}
    called = Called(on_call, {"2321000131": ("SE2321000131-J1",), third: (f"SE{third}-E1",)})
    found = {one.organisation: one for one in matters("notice.unacknowledged", BOX, "on_call", reading, called)}
    assert found["2321000131"] == Matter("2321000131", (team,), BOX, "on_call", (("SE2321000131-J1",), on_call))
    assert found[OWN] == Matter(OWN, (UNIT,), BOX, "on_call")
    assert found[third] == Matter(third, (f"SE{third}-E1",), on_call, "on_call")
