# SPDX-License-Identifier: Apache-2.0
"""The institution: what it has learned, and what it has accepted, as inert files."""
