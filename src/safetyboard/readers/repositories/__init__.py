# SPDX-License-Identifier: Apache-2.0
"""Git repositories read from stored bytes, without git: no hook, filter or setting of theirs is ever obeyed."""
