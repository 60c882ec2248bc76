# SPDX-License-Identifier: Apache-2.0
"""The command, from outside."""

# ruff: noqa: PT009
import subprocess
import sys
import unittest
from pathlib import Path

COMMAND = Path(__file__).resolve().parent.parent / "morse" / "__main__.py"


def said(text, *words):
    """Run the command; give its exit code and what it wrote."""
    call = [sys.executable, "-I", "-B", str(COMMAND), *words]
    ran = subprocess.run(call, input=text, capture_output=True, text=True, check=False, timeout=20)
    return ran.returncode, ran.stdout


class CommandTest(unittest.TestCase):
    """What users see."""

    def test_letters_and_words_are_written(self):
        self.assertEqual(said("SOS now", "write"), (0, "... --- ... / -. --- .--\n"))

    def test_letters_and_words_are_read(self):
        self.assertEqual(said("... --- ... / -. --- .--\n", "read"), (0, "sos now\n"))

    def test_what_has_no_code_is_an_error(self):
        self.assertEqual(said("a#", "write"), (2, ""))
        self.assertEqual(said("........", "read"), (2, ""))

    def test_another_word_is_an_error(self):
        self.assertEqual(said("a", "sing"), (2, ""))
        self.assertEqual(said("a"), (2, ""))


if __name__ == "__main__":
    unittest.main()
