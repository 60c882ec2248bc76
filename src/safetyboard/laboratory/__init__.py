# SPDX-License-Identifier: Apache-2.0
"""What experiments need: jobs and their journal, minimisers, figures."""
