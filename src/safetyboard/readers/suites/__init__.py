# SPDX-License-Identifier: Apache-2.0
"""What judges the work in a tree: test suites, and how two states of one differ in strength."""
