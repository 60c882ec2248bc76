# SPDX-License-Identifier: Apache-2.0
"""Networks that no longer fail, what they cost, and the bytes to deploy."""
