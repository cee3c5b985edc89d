"""Which contact hears of what."""

from services.notifications.domain.escalating import Contact, Matter, Step, is_about, to_write_to

OWN, BOX = "2120001355", "0192f0e0-0000-7000-8000-000000000001"
UNIT = f"SE{OWN}-E1"


def a_contact(
    email: str = "a@kommun.se", *, units: tuple[str, ...] = (f"SE{OWN}-",), mailbox: str | None = None, step: Step = "contact"
) -> Contact:
    return Contact(OWN, units, mailbox, email, step, "sv")


def a_matter(
    step: Step = "contact", *, units: tuple[str, ...] = (UNIT,), organisation: str = OWN, on_call: tuple[str, str] | None = None
) -> Matter:
    return Matter(organisation, units, BOX, step, on_call)


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
    assert told([a_contact(units=(UNIT,))], a_matter(units=(f"SE{OWN}-",))) == []


def test_an_address_is_written_to_once() -> None:
    assert told([a_contact("a@kommun.se"), a_contact("A@kommun.se", mailbox=BOX)], a_matter()) == ["a@kommun.se"]


def test_what_is_the_organisations_as_a_whole_belongs_to_whoever_speaks_for_all_of_it() -> None:
    assert is_about(OWN, (f"SE{OWN}-",), OWN, [])
    assert not is_about(OWN, (UNIT,), OWN, [])
