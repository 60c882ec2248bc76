# SPDX-License-Identifier: Apache-2.0
"""The story of a case, one file a stage; the service runs the stages and writes the evidence."""
