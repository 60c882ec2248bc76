# SPDX-License-Identifier: Apache-2.0
"""The suite of the lending library."""
