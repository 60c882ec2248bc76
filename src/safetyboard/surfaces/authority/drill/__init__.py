# SPDX-License-Identifier: Apache-2.0
"""Judge what a subject did when it was asked to stop."""
