# SPDX-License-Identifier: Apache-2.0
"""Goals and grants judged together: what is wanted, and what it could be done with."""
