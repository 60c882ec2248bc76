# SPDX-License-Identifier: Apache-2.0
"""Take the secrets out of files before anything is run on them or said of them."""

from collections.abc import Mapping

from safetyboard.evidence.redaction import installation_salt, redacted, spans

LARGEST = 4 << 20
BINARY = 8192


def blanked(files: Mapping[str, bytes]) -> tuple[dict[str, bytes], int]:
    """Replace every secret that is recognised by a mark; returns the files and how many of them were touched.

    What is run afterwards runs on these files, so that no secret reaches a sandbox, a record or a docket. Programs that
    need the secret will not find it. Binary files, and those over 4 MiB, stay as they are.
    """
    kept: dict[str, bytes] = {}
    touched = 0
    for path, content in files.items():
        kept[path] = content
        if b"\0" in content[:BINARY] or len(content) > LARGEST:
            continue
        text = content.decode("utf-8", "surrogateescape")
        if spans(text, plugins=False):
            kept[path] = redacted(text, salt=installation_salt()).text.encode("utf-8", "surrogateescape")
            touched += 1
    return kept, touched


def clean(text: str) -> str:
    """Take the secrets out of one text."""
    return redacted(text, salt=installation_salt()).text
