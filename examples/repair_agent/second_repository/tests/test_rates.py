# SPDX-License-Identifier: Apache-2.0
"""Prices."""

# ruff: noqa: PT009, PT027
import unittest

from parcels.rates import price, total


class PriceTest(unittest.TestCase):
    """What one parcel costs, and several."""

    def test_each_band_ends_where_it_says(self):
        self.assertEqual([price(1), price(2000), price(2001), price(10000), price(30000)], [340, 340, 560, 560, 1190])

    def test_an_island_adds_a_quarter_rounded_up(self):
        self.assertEqual(price(500, island=True), 425)
        self.assertEqual(price(20000, island=True), 1488)

    def test_what_is_too_heavy_or_weighs_nothing_is_refused(self):
        for grams in (0, -1, 30001):
            with self.assertRaises(ValueError):
                price(grams)

    def test_parcels_add_up(self):
        self.assertEqual(total([(100, False), (100, True)]), 765)
        self.assertEqual(total([]), 0)


if __name__ == "__main__":
    unittest.main()
