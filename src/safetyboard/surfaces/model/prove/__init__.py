# SPDX-License-Identifier: Apache-2.0
"""Bounds, branch and bound, and the certificates they leave."""
