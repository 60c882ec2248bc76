# SPDX-License-Identifier: Apache-2.0
"""Sizes of parcels."""


def oversize(length, width, height):
    """Tell whether the longest side and the girth around it are over 300 cm together."""
    longest, *others = sorted((length, width, height), reverse=True)
    return longest + 2 * sum(others) > 300
