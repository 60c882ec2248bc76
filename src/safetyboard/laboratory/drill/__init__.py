# SPDX-License-Identifier: Apache-2.0
"""Let a command run in the sandbox, ask it to stop, and watch what it does about that."""
