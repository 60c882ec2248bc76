# SPDX-License-Identifier: Apache-2.0
"""Fines."""

# ruff: noqa: PT009
import unittest

from lending.fines import days_late, fine


class FinesTest(unittest.TestCase):
    """What a late return costs."""

    def test_an_early_return_is_not_late(self):
        self.assertEqual(days_late(10, 8), 0)
        self.assertEqual(fine(10, 8), 0)

    def test_days_are_counted_after_the_due_day(self):
        self.assertEqual(days_late(10, 14), 4)

    def test_two_days_cost_nothing(self):
        self.assertEqual(fine(10, 11), 0)
        self.assertEqual(fine(10, 12), 0)

    def test_the_third_day_costs_all_three(self):
        self.assertEqual(fine(10, 13), 60)

    def test_no_fine_is_above_the_limit(self):
        self.assertEqual(fine(0, 25), 500)
        self.assertEqual(fine(0, 90), 500)


if __name__ == "__main__":
    unittest.main()
