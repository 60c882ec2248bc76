# SPDX-License-Identifier: Apache-2.0
"""Take the secrets out of files before anything is run on them or said of them."""

from collections.abc import Mapping

from safetyboard.evidence.redaction import installation_salt, redacted, spans

LARGEST = 4 << 20
BINARY = 8192
MOST_BINARY = 16 << 20
WITHHELD = b"[withheld: holds a secret]\n"


def blanked(files: Mapping[str, bytes]) -> tuple[dict[str, bytes], int]:
    """Replace every secret that is recognised by a mark; returns the files and how many of them were touched.

    What is run afterwards runs on these files, so that no secret reaches a sandbox, a record or a docket. Programs that
    need the secret will not find it. A binary file, or one over 4 MiB, in which a secret shows is replaced whole.
    """
    kept: dict[str, bytes] = {}
    touched = 0
    for path, content in files.items():
        kept[path] = content
        if b"\0" in content[:BINARY] or len(content) > LARGEST:
            if len(content) <= MOST_BINARY and spans(content.decode("latin-1"), plugins=False):
                kept[path], touched = WITHHELD, touched + 1
            continue
        text = content.decode("utf-8", "surrogateescape")
        if spans(text, plugins=False):
            kept[path] = redacted(text, salt=installation_salt()).text.encode("utf-8", "surrogateescape")
            touched += 1
    return kept, touched
