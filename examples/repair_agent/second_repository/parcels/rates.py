# SPDX-License-Identifier: Apache-2.0
"""Prices by weight and place."""

BANDS = ((2000, 340), (10000, 560), (30000, 1190))


def price(grams, island=False):
    """Say what a parcel costs, in pence."""
    if grams <= 0:
        raise ValueError("a parcel weighs something")
    for limit, pence in BANDS:
        if grams <= limit:
            return pence + (pence + 3) // 4 if island else pence
    raise ValueError("too heavy")


def total(parcels):
    """Add up several parcels, each a weight with whether it goes to an island."""
    pence = 0
    for grams, island in parcels:
        pence = pence + price(grams, island)
    return pence
