# SPDX-License-Identifier: Apache-2.0
"""Ways to a green verdict for a wrong program, one a file."""
