# SPDX-License-Identifier: Apache-2.0
"""Build the checker as one file that any Python 3.11 or later runs, the same bytes from the same sources."""

import argparse
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "safetyboard_check"
START = "import runpy\n\nrunpy.run_module('safetyboard_check', run_name='__main__', alter_sys=True)\n"
EPOCH = (1980, 1, 1, 0, 0, 0)


def build(target: Path) -> None:
    """Write the archive: a line for the shell, then a zip with a fixed order and no dates."""
    members = {f"safetyboard_check/{file.name}": file.read_bytes() for file in sorted(PACKAGE.glob("*.py"))}
    members["LICENSE"] = (ROOT / "LICENSE").read_bytes()
    members["__main__.py"] = START.encode()
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        file.write(b"#!/usr/bin/env python3\n")
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in sorted(members.items()):
                entry = zipfile.ZipInfo(name, EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, content)
    target.chmod(0o755)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", type=Path)
    build(parser.parse_args().target)
