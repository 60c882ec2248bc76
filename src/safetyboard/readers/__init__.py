# SPDX-License-Identifier: Apache-2.0
"""Stored bytes that systems leave behind, turned into terms: one file a format."""
