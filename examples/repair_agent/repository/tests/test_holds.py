# SPDX-License-Identifier: Apache-2.0
"""Holds."""

# ruff: noqa: PT009
import unittest

from lending.holds import first, join, place


class HoldsTest(unittest.TestCase):
    """Who waits for a book."""

    def test_a_reader_joins_at_the_end(self):
        self.assertEqual(join(["ann"], "bob"), ["ann", "bob"])

    def test_nobody_stands_in_a_queue_twice(self):
        self.assertEqual(join(["ann", "bob"], "ann"), ["ann", "bob"])

    def test_the_first_is_served_next(self):
        self.assertEqual(first(["ann", "bob"]), "ann")
        self.assertEqual(first([]), None)

    def test_a_place_counts_those_before(self):
        self.assertEqual(place(["ann", "bob"], "bob"), 1)
        self.assertEqual(place(["ann"], "eve"), None)


if __name__ == "__main__":
    unittest.main()
