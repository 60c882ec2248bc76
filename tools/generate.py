# SPDX-License-Identifier: Apache-2.0
"""Write the generated documents, or with --check say which of them have drifted."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import catalogues
import cli_reference
import coverage_page
import schemas

ROOT = Path(__file__).resolve().parent.parent
SOURCES = (schemas, cli_reference, catalogues, coverage_page)


def main() -> int:
    """Write or compare; exit 1 when a page has drifted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a page has drifted")
    check = parser.parse_args().check
    expected: dict[Path, str] = {}
    for source in SOURCES:
        expected.update(source.pages())
    stale = {page for page, text in expected.items() if not page.exists() or page.read_text(encoding="utf-8") != text}
    orphans = {page for page in schemas.FOLDER.glob("*.json") if page not in expected}
    for page in sorted(stale | orphans):
        verb = "has drifted" if check else "removed" if page in orphans else "written"
        print(f"{page.relative_to(ROOT)}: {verb}")
    if check:
        if stale | orphans:
            print("Run `make docs` and commit the result.")
        return 1 if stale | orphans else 0
    for page in orphans:
        page.unlink()
    for page in stale:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(expected[page], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
