# SPDX-License-Identifier: Apache-2.0
"""What was recorded of runs: read, screened, quoted, held against delegations and verdicts."""
