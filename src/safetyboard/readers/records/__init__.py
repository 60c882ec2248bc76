# SPDX-License-Identifier: Apache-2.0
"""Readers of what AI systems leave behind: logs, sessions and traces become episodes."""
