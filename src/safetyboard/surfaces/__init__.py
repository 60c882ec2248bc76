# SPDX-License-Identifier: Apache-2.0
"""The wings: one package for each surface on which alignment fails."""
