# SPDX-License-Identifier: Apache-2.0
"""The vocabulary of the house: one noun a file, inert records and protocols, and the errors."""
