# SPDX-License-Identifier: Apache-2.0
"""Intervals and rates, each with the assumptions it rests on."""
