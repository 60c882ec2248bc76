# SPDX-License-Identifier: Apache-2.0
"""What made a suite's verdict what it is, and why that was possible: causes by replay."""
