# SPDX-License-Identifier: Apache-2.0
"""Check digits of library cards."""


def weighted_sum(digits):
    """Sum the digits, the first times 10, the second times 9, and so on."""
    total = 0
    weight = 10
    for digit in digits:
        weight -= 1
        total += weight * digit
    return total


def check_digit(digits):
    """Say which digit follows."""
    return weighted_sum(digits) % 11


def valid(digits, check):
    """Say whether a card's check digit fits."""
    return check_digit(digits) == check
