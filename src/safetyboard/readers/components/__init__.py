# SPDX-License-Identifier: Apache-2.0
"""Which parts of a code base are models or call one; files are read, and nothing of them is run or unpickled."""
