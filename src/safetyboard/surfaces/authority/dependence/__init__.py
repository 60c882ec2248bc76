# SPDX-License-Identifier: Apache-2.0
"""What depends on a model in a code base, and what falls when the model is subverted."""
