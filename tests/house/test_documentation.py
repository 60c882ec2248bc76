# SPDX-License-Identifier: Apache-2.0
"""The documents cannot drift: what they name exists, what is generated is fresh, what they show runs."""

import importlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from house.code_blocks import SHELLS, Block, blocks_of, command_lines, documents
from house.source_files import ROOT, named

BLOCKS = [block for file in documents() for block in blocks_of(file, file.read_text(encoding="utf-8"))]
PYTHON = sorted({block.file for block in BLOCKS if block.language == "python"})


def tool(name: str) -> Any:
    """A script of the folder tools, as a module."""
    folder = str(ROOT / "tools")
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module(name)


def faults_of(words: list[str]) -> list[str]:
    """What a command in a document names that does not exist."""
    if words[0] == "make":
        targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
        return [word for word in words[1:] if "=" not in word and not word.startswith("-") and word not in targets]
    if words[0].rpartition("/")[2] != "safetyboard":
        return []
    group = tool("cli_reference").command_group()
    known = tool("cli_reference").commands(group)
    if len(words) == 1 or words[1].startswith("-"):
        return [word for word in words[1:] if word not in {"--help", "--version"}]
    if words[1] not in known:
        return [words[1]]
    options = {word.partition("=")[0] for word in words[2:] if re.match(r"--?[a-z]", word)}
    return sorted(options - tool("cli_reference").options_of(known[words[1]]))


def test_every_generated_page_is_fresh() -> None:
    command = [sys.executable, str(ROOT / "tools" / "generate.py"), "--check"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_every_command_is_documented() -> None:
    page = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    commands = tool("cli_reference").commands(tool("cli_reference").command_group())
    assert commands
    assert [name for name in commands if f"## `safetyboard {name}`" not in page] == []
    assert [
        f"{name} {option}"
        for name, command in commands.items()
        for option in tool("cli_reference").options_of(command) - {"--help"}
        if f"{option}" not in page
    ] == []


def test_every_entry_of_every_catalogue_exists_and_says_what_it_is() -> None:
    catalogues = tool("catalogues")
    found = [entry for catalogue in catalogues.catalogues().values() for entry in catalogues.entries(catalogue)]
    assert found
    assert [path for _, _, path in found if not catalogues.first_line(path)] == []


def test_every_reader_and_lesson_kind_stands_in_a_catalogue() -> None:
    found = tool("catalogues").catalogues()
    assert "safetyboard.readers" in found
    page = (ROOT / "docs" / "reference" / "catalogues.md").read_text(encoding="utf-8")
    listed = {name for catalogue in found.values() for _, name, _ in tool("catalogues").entries(catalogue)}
    assert [name for name in listed if f"`{name}`" not in page] == []


def test_the_documents_name_only_commands_and_options_that_exist() -> None:
    shells = [block for block in BLOCKS if block.language in SHELLS]
    faults = [
        f"{each.place}: {fault}" for each in shells for words in command_lines(each) for fault in faults_of(words)
    ]
    assert faults == []


@pytest.mark.parametrize("file", PYTHON, ids=named)
def test_the_python_blocks_of_a_document_run(file: Path, tmp_path: Path) -> None:
    blocks = [block for block in BLOCKS if block.file == file and block.language == "python"]
    program = "\n".join(block.text for block in blocks)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    answer = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:__main__", "-"],
        input=program,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert answer.returncode == 0, f"{[block.place for block in blocks]}\n{answer.stderr}"


def test_every_link_between_documents_leads_somewhere() -> None:
    dead = []
    for file in documents():
        text = re.sub(r"```.*?```", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)\s#]+)[^)]*\)", text):
            if not re.match(r"[a-z]+:", target) and not (file.parent / target).exists():
                dead.append(f"{named(file)}: {target}")
    assert dead == []


def test_a_command_that_does_not_exist_would_be_found() -> None:
    lines = ["$ make nonsense", "no command", "$ safetyboard nonsense PATH && safetyboard investigate P --nonsense 3"]
    text = "\n".join(["```sh", *lines, "```", ""])
    [block] = blocks_of(ROOT / "README.md", text)
    assert isinstance(block, Block)
    found = [fault for words in command_lines(block) for fault in faults_of(words)]
    assert found == ["nonsense", "nonsense", "--nonsense"]
