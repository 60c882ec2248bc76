# SPDX-License-Identifier: Apache-2.0
"""Who answers for what an agent did outside its workspace, by signed delegation."""
