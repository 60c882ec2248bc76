# SPDX-License-Identifier: Apache-2.0
"""The settings of pytest and coverage in a tree, read from the sections that hold them and from nothing else."""

import configparser
import re
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from safetyboard.readers.stored import printable

LARGEST = 1 << 20
WHOLE = ("pytest.ini", ".pytest.ini", ".coveragerc")
"""Files that hold nothing but what judges."""
PYTEST = (
    ("pytest.ini", "pytest"),
    (".pytest.ini", "pytest"),
    ("pyproject.toml", "tool.pytest.ini_options"),
    ("tox.ini", "pytest"),
    ("setup.cfg", "tool:pytest"),
)
"""Where pytest looks, in its order; the first that has the section counts.

Source: docs.pytest.org, Configuration, "Initialization: determining rootdir and configfile".
"""
COVERAGE = ((".coveragerc", "report"), ("pyproject.toml", "tool.coverage.report"), ("setup.cfg", "coverage:report"),
            ("tox.ini", "coverage:report"))  # fmt: skip
Settings = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Section:
    """Hold one section that judges: where it stands, and its settings as text."""

    path: str
    name: str
    settings: Settings = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Tell whether the file holds nothing but what judges."""
        return self.path in WHOLE

    def words(self, setting: str) -> tuple[str, ...]:
        """Part a setting into words as a shell would."""
        try:
            return tuple(shlex.split(self.settings.get(setting, ""), comments=False))
        except ValueError:
            return tuple(self.settings.get(setting, "").split())


def pytest_section(files: Mapping[str, bytes], faults: list[str]) -> Section | None:
    """Find the section that pytest would obey, if any.

    Args:    faults: one sentence is added for each file that does not parse.
    """
    return _first(files, PYTEST, faults)


def coverage_section(files: Mapping[str, bytes], faults: list[str]) -> Section | None:
    """Find the section that holds the thresholds of coverage, if any."""
    return _first(files, COVERAGE, faults)


def _first(files: Mapping[str, bytes], places: tuple[tuple[str, str], ...], faults: list[str]) -> Section | None:
    for path, name in places:
        if path in files:
            found = _section(path, name, files[path], faults)
            if found is not None or path in ("pytest.ini", ".pytest.ini"):
                return Section(path=path, name=name, settings=found or {})
    return None


def _section(path: str, name: str, content: bytes, faults: list[str]) -> Settings | None:
    try:
        text = content.decode("utf-8-sig")
        if len(content) > LARGEST:
            raise ValueError(f"more than {LARGEST} bytes")
        if path.endswith(".toml"):
            found: Any = tomllib.loads(text)
            for part in name.split("."):
                found = found.get(part) if isinstance(found, dict) else None
            return {str(key): _text(value) for key, value in found.items()} if isinstance(found, dict) else None
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        parser.read_string(text)
        return dict(parser[name]) if parser.has_section(name) else None
    except (UnicodeDecodeError, ValueError, configparser.Error, RecursionError) as error:
        sentence = f"{path}: does not parse ({printable(str(error), 120)})."
        if sentence not in faults:
            faults.append(sentence)
        return None


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(_quoted(str(each)) for each in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _quoted(text: str) -> str:
    return shlex.quote(text) if re.search(r"\s", text) else text
