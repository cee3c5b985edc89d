"""Two persons or one: the same name in another spelling is the same person (four eyes)."""

import unicodedata
from dataclasses import dataclass
from typing import Final

# Letters and marks that nobody sees, beside the format characters (category Cf).
_UNSEEN: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_SELECTOR: Final = "VARIATION SELECTOR"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: the client that calls, and the person it names; a client that names nobody stands for itself."""

    client: str
    person: str

    @property
    def named(self) -> bool:
        """Whether the client named a person."""
        return normal_form(self.person) != normal_form(self.client)

    def is_same_person_as(self, other: "Actor") -> bool:
        """Whether the two may be one person: the same name, or the same client and one of the two named nobody.

        One client may stand for two persons when it names both; one person stays one person through whatever client she acts.

        Source:
            Domain rule 3.8, publishing and approving take two different persons.
        """
        if normal_form(self.person) == normal_form(other.person):
            return True
        return self.client == other.client and not (self.named and other.named)


def normal_form(name: str) -> str:
    """A name without what a reader does not see: composition, width, case, kinds and numbers of blanks, unseen characters.

    Source:
        Domain rule 3.8, publishing and approving take two different persons.
    """
    seen = "".join(char for char in unicodedata.normalize("NFKC", name) if not _is_unseen(char))
    return " ".join(unicodedata.normalize("NFKC", seen.casefold()).split())


def _is_unseen(char: str) -> bool:
    return unicodedata.category(char) == "Cf" or char in _UNSEEN or _SELECTOR in unicodedata.name(char, "")
