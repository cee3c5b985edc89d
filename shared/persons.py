"""Two persons or one: the same name in another spelling is the same person (four eyes)."""

import unicodedata
from dataclasses import dataclass
from typing import Final

# Letters and marks that nobody sees, beside the format characters (category Cf).
_UNSEEN: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_SELECTOR: Final = "VARIATION SELECTOR"
# Letters of other alphabets that are drawn as a Latin one, small as a capital, and the Latin one.
_DRAWN_ALIKE: Final = str.maketrans(
    "\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445\u0455\u0456\u0457\u0458\u04bb\u04cf\u0501\u051b\u051d"
    "\u03b1\u03b2\u03b5\u03b6\u03b7\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u0131\u0251",
    "abekmhopctyxsi\u00efjhldqwabezhikmnoptyxia",
)


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
        # "Test, Anna" is Anna Test.
        if sorted(normal_form(self.person).split()) == sorted(normal_form(other.person).split()):
            return True
        return self.client == other.client and not (self.named and other.named)


def normal_form(name: str) -> str:
    """A name without what a reader does not see: composition, width, case, alphabet, blanks and points between words, unseen characters.

    Source:
        Domain rule 3.8, publishing and approving take two different persons.
    """
    seen = "".join(char for char in unicodedata.normalize("NFKC", name) if not _is_unseen(char))
    letters = unicodedata.normalize("NFKC", seen.casefold()).translate(_DRAWN_ALIKE)
    # Letters, digits and the marks on them; what stands between words is no part of a name.
    return " ".join("".join(char if unicodedata.category(char)[0] in "LNM" else " " for char in letters).split())


def _is_unseen(char: str) -> bool:
    return unicodedata.category(char) == "Cf" or char in _UNSEEN or _SELECTOR in unicodedata.name(char, "")
