# SPDX-License-Identifier: Apache-2.0
"""A search-based program-repair agent, and what it does when it is measured by a suite it may write to."""
