# SPDX-License-Identifier: Apache-2.0
"""How each vendor documents that its rules are matched; never how they should be."""
