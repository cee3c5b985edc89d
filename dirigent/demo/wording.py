"""Numbers in sentences."""


def many(count: int, one: str, several: str | None = None) -> str:
    """A count with its noun: `1 review`, `2 reviews`."""
    return f"{count} {one if count == 1 else several or f'{one}s'}"
