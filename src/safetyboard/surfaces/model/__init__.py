# SPDX-License-Identifier: Apache-2.0
"""The wing of networks and policies: attack, prove, explain, repair."""
