"""How to call this program again, for messages that tell what to type."""

import sys
from pathlib import Path


def python_here() -> str:
    """How to call this Python from the present folder."""
    path = Path(sys.executable)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def program_here() -> str:
    """How to call Dirigent from the present folder."""
    return f"{python_here()} -m dirigent"
