# SPDX-License-Identifier: Apache-2.0
"""Run a subject's test suite in a sandbox and learn test by test what came of it."""
