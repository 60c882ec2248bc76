# SPDX-License-Identifier: Apache-2.0
"""The optional judge: a language model that first quotes from a record, then scores what it quoted."""
