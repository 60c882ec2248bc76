# SPDX-License-Identifier: Apache-2.0
"""The rules of a small lending library."""
