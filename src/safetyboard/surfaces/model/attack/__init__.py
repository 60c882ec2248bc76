# SPDX-License-Identifier: Apache-2.0
"""Searches for behaviour that the overseer judges catastrophic."""
