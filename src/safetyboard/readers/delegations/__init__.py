# SPDX-License-Identifier: Apache-2.0
"""Signed statements by which somebody answers for what an agent does."""
