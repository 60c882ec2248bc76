# SPDX-License-Identifier: Apache-2.0
"""What every test may ask for: data made by others, and a fixed seed for generated cases."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["idea_coverage"]

settings.register_profile("ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("SAFETYBOARD_HYPOTHESIS", "ci"))


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The folder that holds pyproject.toml."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def safetyboard_data() -> Path:
    """The folder of test data made by others; the test skips where SAFETYBOARD_DATA does not name one."""
    named = os.environ.get("SAFETYBOARD_DATA")
    if not named:
        pytest.skip("SAFETYBOARD_DATA is not set: it names the folder of test data made by others")
    folder = Path(named)
    if not folder.is_dir():
        pytest.fail(f"SAFETYBOARD_DATA names {named}, which is not a folder")
    return folder
