"""The colours of the pages can be told apart by tired eyes, in light and in dark."""

import re
from pathlib import Path

import pytest

from services.gateway.web import pages

_STYLE = (Path(pages.__file__).with_name("static") / "dirigent.css").read_text(encoding="utf-8")
_ENOUGH_FOR_TEXT = 4.5
_ENOUGH_FOR_A_RIM = 3.0


def _schemes() -> dict[str, dict[str, str]]:
    light, dark = (dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", found)) for found in re.findall(r":root \{(.*?)\}", _STYLE, re.DOTALL))
    return {"light": light, "dark": dark}


def _luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("text", ["ink", "quiet", "accent", "good", "bad"])
@pytest.mark.parametrize("ground", ["paper", "panel"])
def test_text_stands_out_from_its_ground(scheme: str, text: str, ground: str) -> None:
    """Source: WCAG 2.1, 1.4.3 (AA)."""
    colours = _schemes()[scheme]
    assert _contrast(colours[text], colours[ground]) >= _ENOUGH_FOR_TEXT


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_rim_of_what_has_the_focus_is_seen(scheme: str) -> None:
    """Source: WCAG 2.1, 1.4.11 (AA)."""
    colours = _schemes()[scheme]
    assert _contrast(colours["accent"], colours["paper"]) >= _ENOUGH_FOR_A_RIM
    assert "outline: 3px solid var(--accent)" in _STYLE
