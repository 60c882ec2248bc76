# SPDX-License-Identifier: Apache-2.0
"""The accident report: one page that opens offline, facts apart from analysis, every claim linked to evidence."""
