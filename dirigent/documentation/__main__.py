"""Write the generated pages, or with `--check` say which of them no longer tell what the code says."""

import argparse
import sys
from collections.abc import Mapping

from dirigent.documentation.access import access_page
from dirigent.documentation.events import events_page
from dirigent.documentation.law import law_page
from dirigent.documentation.problems import problems_page
from dirigent.documentation.sources import ROOT


def pages() -> Mapping[str, str]:
    """Every generated page by its path below the repository."""
    return {
        "docs/law.md": law_page(),
        "docs/events.md": events_page(),
        "docs/access.md": access_page(),
        "docs/problems.md": problems_page(),
    }


def outdated() -> list[str]:
    """The pages whose committed text is not what the code says now."""
    return [path for path, text in pages().items() if not (ROOT / path).is_file() or (ROOT / path).read_text(encoding="utf-8") != text]


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m dirigent.documentation", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, change nothing; exit code 1 when a page is out of date")
    if parser.parse_args().check:
        old = outdated()
        for path in old:
            print(f"dirigent: {path} is out of date: python -m dirigent.documentation", file=sys.stderr)
        return 1 if old else 0
    for path, text in pages().items():
        (ROOT / path).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
