"""Who answers for an organisation as a whole: only that one reviews its access log and handles what persons ask of it."""

from collections.abc import Iterable


def covers_organisation(organisation: str, unit_prefixes: Iterable[str]) -> bool:
    """Whether unit prefixes take in every unit of an organisation.

    All care of a region shares one organisation number: a ward or care centre carries it as well, and must not read by it what the other
    thousand units did.

    Args:
        organisation: The organisation number.
        unit_prefixes: The beginnings of the HSA-ids that somebody acts for.

    Source:
        HSLF-FS (2016:40) 4 kap. 9-10 §§: the care provider reviews its logs; patientdatalagen (2008:355) 2 kap. 6 §: it answers for them.
    """
    whole = f"SE{organisation}-"
    return any(whole.startswith(prefix) for prefix in unit_prefixes if prefix)
