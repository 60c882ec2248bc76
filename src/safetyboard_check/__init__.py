# SPDX-License-Identifier: Apache-2.0
"""The stranger's checker: rechecks a docket with the standard library alone, sharing no code with the engine."""
