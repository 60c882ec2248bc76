# SPDX-License-Identifier: Apache-2.0
"""A safety board for AI systems, in a box."""

__version__ = "0.1.0"
