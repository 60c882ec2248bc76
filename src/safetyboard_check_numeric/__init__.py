# SPDX-License-Identifier: Apache-2.0
"""Recheck every leaf of every certificate in a docket, with numpy, in float64 rounded outward."""

import os

# Products of small matrices gain nothing from threads, and lose much where other programs run; numpy reads this once.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
