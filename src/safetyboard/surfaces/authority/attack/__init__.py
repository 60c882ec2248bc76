# SPDX-License-Identifier: Apache-2.0
"""What an agent that wants to could do with what it was given."""
