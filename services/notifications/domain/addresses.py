"""Which e-mail addresses are written to: plain ASCII ones that mean the same to every mail system, and hold nothing but an address."""

import re
from typing import Final

LONGEST: Final = 254
_LONGEST_LOCAL: Final = 64
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)"
_ADDRESS: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+", re.ASCII)


def is_address(text: str) -> bool:
    """Whether a text is one e-mail address and nothing else: no name around it, no list, no comment, no line break.

    Source:
        RFC 5321 4.1.2, dot-string form only; RFC 5321 4.5.3.1 for the lengths.
    """
    return len(text) <= LONGEST and bool(_ADDRESS.fullmatch(text)) and len(text.partition("@")[0]) <= _LONGEST_LOCAL
