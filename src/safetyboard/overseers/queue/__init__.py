# SPDX-License-Identifier: Apache-2.0
"""The human queue: what people are asked about recorded runs, in which order, what they said, what it shows."""
