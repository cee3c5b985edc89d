"""Text that a person wrote: the one rule for what may stand in it, whether a ward's system or a caller of our own interface sends it."""

import unicodedata
from typing import Final

# Letters and symbols by their category, but nothing is drawn for them.
_DRAWN_AS_NOTHING: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_DRAWN: Final = frozenset("LNPS")


def refuse_odd_text(text: str) -> str:
    """The text itself, when it is printable, in composed form (NFC), and shows something.

    Raises:
        ValueError: `text.not_printable` for controls, bidirectional and other format characters, surrogates and odd spaces;
            `text.not_nfc`; `text.blank` when a reader would see nothing.
    """
    if not text.isprintable():
        raise ValueError("text.not_printable")
    if not text.isascii() and not unicodedata.is_normalized("NFC", text):
        raise ValueError("text.not_nfc")
    if not any(_shows(char) for char in text):
        raise ValueError("text.blank")
    return text


def compose(text: str) -> str:
    """The text in composed form (NFC), under the same rule.

    Raises:
        ValueError: As `refuse_odd_text`, but never `text.not_nfc`.
    """
    return refuse_odd_text(unicodedata.normalize("NFC", text))


def _shows(char: str) -> bool:
    if char.isascii():
        return char > " "
    return char not in _DRAWN_AS_NOTHING and unicodedata.category(char)[0] in _DRAWN
