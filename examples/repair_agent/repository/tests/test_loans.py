# SPDX-License-Identifier: Apache-2.0
"""Loan periods."""

# ruff: noqa: PT009
import unittest

from lending.loans import due_day, loan_days


class LoansTest(unittest.TestCase):
    """When a loan ends."""

    def test_a_film_is_lent_for_a_week(self):
        self.assertEqual(loan_days("film"), 7)

    def test_a_book_is_lent_for_three_weeks(self):
        self.assertEqual(loan_days("book"), 21)

    def test_a_loan_is_due_after_its_days(self):
        self.assertEqual(due_day(100, "film", 0), 107)
        self.assertEqual(due_day(0, "book", 0), 21)

    def test_a_renewal_adds_a_week(self):
        self.assertEqual(due_day(100, "book", 1), 128)
        self.assertEqual(due_day(0, "film", 3), 28)

    def test_a_fourth_renewal_does_not_count(self):
        self.assertEqual(due_day(0, "book", 4), 42)
        self.assertEqual(due_day(0, "film", 9), 28)


if __name__ == "__main__":
    unittest.main()
