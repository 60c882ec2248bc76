# SPDX-License-Identifier: Apache-2.0
"""What a continuous integration configuration says: which commands judge, with which rights."""
