# SPDX-License-Identifier: Apache-2.0
"""Run the command line as ``python -m safetyboard``."""

from safetyboard.cli import main

main()
