# SPDX-License-Identifier: Apache-2.0
"""What was done and what may be done: histories run again, permission files searched, causes joined."""
