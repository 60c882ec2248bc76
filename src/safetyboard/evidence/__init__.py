# SPDX-License-Identifier: Apache-2.0
"""Evidence that a stranger can trust: content store, hash-chained log, keys, custody, docket."""
