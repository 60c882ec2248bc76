# SPDX-License-Identifier: Apache-2.0
"""Whoever judges runs besides the chains: a learned screen, a model behind a URL, a person."""
