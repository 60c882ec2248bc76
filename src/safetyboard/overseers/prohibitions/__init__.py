# SPDX-License-Identifier: Apache-2.0
"""What no task may break, whether or not a prompt says so: packs of prohibitions, and the clauses a run breaks."""
