# SPDX-License-Identifier: Apache-2.0
"""Card numbers."""

# ruff: noqa: PT009
import unittest

from lending.cards import check_digit, valid, weighted_sum


class CardsTest(unittest.TestCase):
    """Check digits."""

    def test_the_first_digit_weighs_most(self):
        self.assertEqual(weighted_sum([1]), 10)
        self.assertEqual(weighted_sum([0, 2, 0]), 18)

    def test_no_digits_sum_to_nothing(self):
        self.assertEqual(weighted_sum([]), 0)

    def test_a_check_digit_is_taken_modulo_eleven(self):
        self.assertEqual(check_digit([4, 7, 1]), 1)

    def test_a_wrong_check_digit_is_refused(self):
        self.assertEqual(valid([4, 7, 1], 1), True)
        self.assertEqual(valid([4, 7, 1], 2), False)


if __name__ == "__main__":
    unittest.main()
