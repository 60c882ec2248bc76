# SPDX-License-Identifier: Apache-2.0
"""Verdicts and errors become exit codes in one place, and errors one sentence."""

import errno
import json
from itertools import combinations

import click
import pytest

from safetyboard.cli.door import gate_code, sentence_of, through, verdict_code
from safetyboard.terms.errors import UnreadableInput, Unsound

WORDS = ("REFUTED", "PROVED", "BOUNDED", "SUPPORTED", "UNKNOWN", "NOT_RUN", "OPEN")


def test_the_first_code_that_applies_is_given() -> None:
    for size in range(len(WORDS) + 1):
        for words in combinations(WORDS, size):
            code = 1 if "REFUTED" in words else 0 if words and set(words) <= {"PROVED", "BOUNDED"} else 3
            assert verdict_code(words) == code
            assert verdict_code(words, unsound=True) == 70
            assert verdict_code(words, unsound=True, interrupted=True) == 130


@pytest.mark.parametrize(("answers", "code"), [
    ([], 3), (["not affected"], 0), (["untestable"], 3), (["not affected", "untestable"], 3),
    (["untestable", "affected"], 1), (["accepted"], 0), (["accepted", "not affected"], 0),
])  # fmt: skip
def test_lessons_have_codes_of_their_own(answers: list[str], code: int) -> None:
    assert gate_code(answers) == code


@pytest.mark.parametrize(("error", "code", "said"), [
    (UnreadableInput("a.onnx: is broken.", hint="Mend it."), 2, "Mend it."),
    (Unsound("two engines disagree"), 70, "two engines disagree"),
    (MemoryError(), 4, "memory"),
    (ModuleNotFoundError("no", name="onnx"), 4, "pip install 'safetyboard[networks]'"),
    (OSError(errno.ENOSPC, "No space left on device", "/x"), 4, "Free some space"),
    (PermissionError(errno.EACCES, "Permission denied", "/x"), 4, "/x: Permission denied"),
    (ZeroDivisionError("planted"), 4, "Internal error (ZeroDivisionError: planted)"),
])  # fmt: skip
def test_every_error_is_one_sentence_with_a_code(
    error: Exception, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command()
    @click.option("--json", is_flag=True)
    def fails(json: bool) -> None:
        raise error

    sentence, found = sentence_of(error)
    assert said in sentence
    assert found == code
    assert through(fails, ["--json"]) == code
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert json.loads(printed.out)["error"]["exit"] == code


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.exceptions.Abort()])
def test_an_interrupt_at_the_door_has_its_code(error: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
    @click.command()
    def waits() -> None:
        raise error

    assert through(waits, []) == 130
    assert capsys.readouterr().err.strip().endswith("Interrupted.")
