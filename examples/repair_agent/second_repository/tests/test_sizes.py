# SPDX-License-Identifier: Apache-2.0
"""Sizes."""

# ruff: noqa: PT009
import unittest

from parcels.sizes import oversize


class SizeTest(unittest.TestCase):
    """Which parcels are oversize."""

    def test_the_limit_itself_is_allowed(self):
        self.assertFalse(oversize(100, 50, 50))
        self.assertTrue(oversize(101, 50, 50))

    def test_the_order_of_the_sides_does_not_matter(self):
        self.assertEqual(oversize(10, 200, 45), oversize(200, 45, 10))


if __name__ == "__main__":
    unittest.main()
