# SPDX-License-Identifier: Apache-2.0
"""A signing key of its own for every test session, and one investigated case that many tests look at."""

from pathlib import Path

import pytest

from safetyboard.evidence.docket import Docket
from story import planted
from story.run import Ran, investigated


@pytest.fixture(autouse=True, scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep the tests' key out of the user's configuration folder."""
    folder = tmp_path_factory.mktemp("home")
    patch = pytest.MonkeyPatch()
    patch.setenv("SAFETYBOARD_HOME", str(folder))
    yield folder
    patch.undo()


class Case:
    """One finished investigation: what was printed, and the docket."""

    def __init__(self, ran: Ran, place: Path) -> None:
        self.ran, self.place, self.answer = ran, place, ran.json
        self.docket = Docket(place)

    def of_kind(self, kind: str) -> list[dict]:
        return list(self.docket.of_kind(kind).values())


@pytest.fixture(scope="session")
def failing(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Case:
    """The planted network, investigated in full."""
    base = tmp_path_factory.mktemp("failing")
    ran = investigated(planted.folder(base / "case", planted=True), base / "docket")
    return Case(ran, base / "docket")


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Case:
    """Its clean twin, investigated in full."""
    base = tmp_path_factory.mktemp("clean")
    ran = investigated(planted.folder(base / "case", planted=False), base / "docket")
    return Case(ran, base / "docket")
