"""The query that every feed takes: where to go on, how much of it, and how long to wait for more."""

from typing import Annotated, Any, Final

from fastapi import Query

from shared.http.conditional import NOTHING_NEW

MOST_POSITIONS: Final = 1 << 62
MAX_WAIT_SECONDS: Final = 25.0

Position = Annotated[int, Query(ge=0, le=MOST_POSITIONS)]
"""The last entry that the reader has; 0 before the first."""
Limit = Annotated[int, Query(ge=1, le=1_000)]
"""How many entries at the most."""
Wait = Annotated[float, Query(ge=0, le=MAX_WAIT_SECONDS)]
"""Seconds to wait for an entry while there is none."""
Epoch = Annotated[int | None, Query(ge=1, le=MOST_POSITIONS)]
"""The epoch that the reader's position belongs to; none: whichever it is."""

FEED_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    **NOTHING_NEW,
    410: {"description": "The feed was rewound; go on from the last common position"},
}
