# SPDX-License-Identifier: Apache-2.0
"""What an agent may do, what it can do in spite of that, and whether it stops."""
