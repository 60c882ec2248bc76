# SPDX-License-Identifier: Apache-2.0
"""Search for the shortest allowed sequence of calls to a forbidden effect, and run what is found."""
