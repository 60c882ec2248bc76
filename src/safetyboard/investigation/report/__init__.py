# SPDX-License-Identifier: Apache-2.0
"""The report of a case: one self-contained page, written from records alone."""
