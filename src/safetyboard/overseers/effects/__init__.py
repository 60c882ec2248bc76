# SPDX-License-Identifier: Apache-2.0
"""What an act does to the world: its effects, with target, severity and reversibility."""
