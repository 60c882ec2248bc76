# SPDX-License-Identifier: Apache-2.0
"""Each part of the kernel replaced by one that answers anything: the tests of that part must turn red."""
# ruff: noqa: E501 - a row of the table is a line

import importlib
import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from _pytest.outcomes import Failed

from safetyboard.evidence.custody import CustodyBook
from safetyboard.evidence.merkle import Tree
from safetyboard.evidence.store import BlobStore
from safetyboard.terms.canonical import digest_of
from safetyboard.terms.custody import Custody

EVIDENCE = "safetyboard.evidence"


def yes(*given: object, **named: object) -> bool:
    return True


def nothing(*given: object, **named: object) -> None:
    return None


def arguments_for(test: Callable[..., None], given: dict[str, Any], place: Path) -> dict[str, Any]:
    """What a test asks for: what is given here, else made as its fixtures make it."""
    found = place / "found"
    (found / "sub" / "deep").mkdir(parents=True)
    (found / ".git").mkdir()
    (found / "sub" / "deep" / "b.csv").write_bytes(b"1,2\n")
    (found / "a.onnx").write_bytes(b"network")
    (found / "empty").write_bytes(b"")
    (found / "link").symlink_to(found / "a.onnx")
    (found / "away").symlink_to("/")
    (found / "dangling").symlink_to("nowhere")
    os.mkfifo(found / "pipe")
    (place / "tmp").mkdir()
    store = BlobStore(place / "blobs")
    pool = {"store": store, "book": CustodyBook(store), "found": found, "tmp_path": place / "tmp", **given}
    return {name: pool[name] for name in inspect.signature(test).parameters if name != "monkeypatch"}


# What is replaced, by what, and a test that must notice, with its arguments.
NULLS: list[tuple[str, object, str, dict[str, Any]]] = [
    (f"{EVIDENCE}.store.BlobStore.get", lambda self, digest: b"anything", "test_store.test_an_edited_blob_is_named", {}),
    (f"{EVIDENCE}.store.BlobStore.get", lambda self, digest: self.path(digest).read_bytes(), "test_store.test_an_edited_blob_is_named", {}),
    (f"{EVIDENCE}.store.BlobStore.put", lambda self, content: digest_of(content), "test_store.test_a_damaged_blob_is_mended_when_its_bytes_are_put_again", {}),
    (f"{EVIDENCE}.store._unchanged", lambda file, before, name: iter([file.read()]), "test_custody.test_a_file_that_changes_while_it_is_read_is_unread_and_the_rest_is_held", {}),
    (f"{EVIDENCE}.statements.verifies", yes, "test_statements.test_another_key_s_statement_is_refused", {}),
    (f"{EVIDENCE}.statements.verifies", yes, "test_statements.test_a_changed_record_under_an_old_signature_is_refused", {}),
    ("unit.evidence.test_statements.pre_authentication", lambda payload, kind="": payload, "test_statements.test_what_is_signed_is_the_example_of_the_dsse_protocol", {}),
    (f"{EVIDENCE}.checkpoint.verifies", yes, "test_checkpoint.test_another_size_or_root_under_the_old_signature_is_refused", {}),
    ("unit.evidence.test_keys.verifies", yes, "test_keys.test_what_is_no_key_verifies_nothing", {"public": b""}),
    (f"{EVIDENCE}.log.Log._recover", lambda self, checkpoint: self.path.stat().st_size, "test_log.test_a_torn_last_line_is_cut_and_whole_lines_stay", {"torn": b"x"}),
    (f"{EVIDENCE}.log.Log.append", lambda self, lines: None, "test_log.test_a_batch_is_on_the_disk_before_it_is_acknowledged", {}),
    (f"{EVIDENCE}.custody.CustodyBook.account", lambda self: Custody(items=(), used=0, irrelevant=0, unread=0), "test_custody.test_everything_under_a_folder_is_held_or_named_as_unread", {}),
    (f"{EVIDENCE}.custody.CustodyBook.mark", nothing, "test_custody.test_what_was_never_held_cannot_be_read_nor_count_as_used", {}),
    (f"{EVIDENCE}.archive.Archive._check", nothing, "test_archive.test_a_name_listed_twice_is_refused", {}),
    (f"{EVIDENCE}.archive.Archive._check", nothing, "test_archive.test_a_bomb_is_refused_before_it_is_unpacked", {}),
    (f"{EVIDENCE}.docket.refuse_target", nothing, "test_docket.test_nothing_that_is_no_docket_is_ever_replaced", {}),
    (f"{EVIDENCE}.docket.DocketWriter._complete", nothing, "test_docket.test_a_case_that_does_not_hold_is_not_sealed", {"files": {"report.html": b""}, "digest": "", "withheld": {}, "said": "is not kept"}),
    (f"{EVIDENCE}.docket.Docket._verified", lambda self, name, digest: self._part(name), "test_docket.test_an_edited_blob_or_report_is_named_when_it_is_read", {}),
    (f"{EVIDENCE}.docket.read_checkpoint", lambda content, public: (7, Tree().root()), "test_docket.test_the_result_digest_knows_neither_time_nor_key", {}),
    ("oracle.test_merkle.verify_inclusion", yes, "oracle.test_merkle.test_a_wrong_entry_place_path_or_root_is_refused", {}),
    ("oracle.test_merkle.verify_inclusion", lambda *given: False, "oracle.test_merkle.test_every_root_and_path_is_the_literal_one_and_is_accepted", {"size": 5}),
    ("oracle.test_merkle.verify_consistency", yes, "oracle.test_merkle.test_a_split_history_has_no_consistency_proof", {}),
    ("safetyboard.evidence.merkle.Tree.root", lambda self, size=None: bytes(32), "oracle.test_merkle.test_roots_are_those_of_the_reference_implementation", {"size": 3}),
    ("safetyboard.evidence.merkle.Tree.consistency", lambda self, older, size=None: [], "oracle.test_merkle.test_consistency_proofs_are_those_of_the_reference_implementation", {"older": 1, "newer": 8}),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(NULLS)), ids=[f"{each[0]}-{number}" for number, each in enumerate(NULLS)])
def test_a_null_engine_turns_a_green_test_red(number: int, tmp_path: Path) -> None:
    replaced, null, noticing, given = NULLS[number]
    module, _, name = noticing.rpartition(".")
    test = getattr(importlib.import_module(module if module.startswith("oracle") else f"unit.evidence.{module}"), name)
    needs_patch = "monkeypatch" in inspect.signature(test).parameters
    for place, engine in (("true", None), ("null", null)):
        arguments = arguments_for(test, given, tmp_path / place)
        with pytest.MonkeyPatch.context() as own, pytest.MonkeyPatch.context() as outer:
            if needs_patch:
                arguments["monkeypatch"] = own
            if engine is None:
                test(**arguments)
                continue
            outer.setattr(replaced, engine)
            with pytest.raises((Failed, Exception)):
                test(**arguments)
