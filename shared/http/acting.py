"""Which person acts where the law wants a person: whoever signed in, or the one a system names."""

from shared.errors import FieldError, Malformed
from shared.http.auth import Caller
from shared.persons import normal_form


def acting_person(caller: Caller, named: str | None, pointer: str, *, stand_ins: bool = True) -> str:
    """The name of the person who acts. Only the clients of a demo stand in for persons themselves.

    Args:
        caller: Who calls.
        named: The person the body names, if any.
        pointer: Where in the body (RFC 6901).
        stand_ins: Whether a demo's clients stand in for her, too.

    Raises:
        Malformed: `person_differs`, a member of staff names somebody else; `person_missing`, a system names nobody.
    """
    if named is None and caller.person is None and not (caller.demo and stand_ins):
        raise Malformed("request.malformed", errors=(FieldError(pointer, "person_missing"),))
    return acting_person_or_client(caller, named, pointer)


def acting_person_or_client(caller: Caller, named: str | None, pointer: str) -> str:
    """The name of the person who acts, where a system may also act by itself.

    Raises:
        Malformed: `person_differs`, a member of staff names somebody else.
    """
    if caller.person is not None and named is not None and normal_form(named) != normal_form(caller.person):
        raise Malformed("request.malformed", errors=(FieldError(pointer, "person_differs"),))
    return caller.person or named or caller.client_id
