# SPDX-License-Identifier: Apache-2.0
"""Why an agent did it: the model asked again from the step before, with one factor changed at a time."""
