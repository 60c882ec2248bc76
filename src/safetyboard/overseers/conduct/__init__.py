# SPDX-License-Identifier: Apache-2.0
"""How a system behaves over many turns and many runs: towards people, beyond its role, at high stakes, over time."""
