# SPDX-License-Identifier: Apache-2.0
"""Figures as SVG text: the same data give the same bytes, readable on light and on dark pages."""
