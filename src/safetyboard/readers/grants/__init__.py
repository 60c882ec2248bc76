# SPDX-License-Identifier: Apache-2.0
"""Permission files of agents and lists of their tools, one file a format."""
