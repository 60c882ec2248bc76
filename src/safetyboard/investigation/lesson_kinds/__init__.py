# SPDX-License-Identifier: Apache-2.0
"""What lessons are put to, one file a kind."""
