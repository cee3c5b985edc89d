"""`python -m dirigent`."""

import sys

OURS = {"dirigent", "services", "shared"}

try:
    from dirigent.cli import main

    main()
except ModuleNotFoundError as missing:
    if missing.name is None or missing.name.partition(".")[0] in OURS:
        raise
    sys.exit(f"dirigent: {sys.executable} lacks the package {missing.name}; use .venv/bin/python, made by make setup")
