# SPDX-License-Identifier: Apache-2.0
"""Who can judge: what acts do, chains that lead to catastrophe, and how well each instrument is known to see."""
