# SPDX-License-Identifier: Apache-2.0
"""Catastrophe chains: from precursor to catastrophe, step by step, matched on what an agent did and said."""
