# SPDX-License-Identifier: Apache-2.0
"""Every instrument of the wing by verb and name; import paths are text, so that nothing loads early."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

_WING = "safetyboard.surfaces.model"

CATALOG: dict[str, Mapping[str, str]] = {
    "attack": {
        "sampling": f"{_WING}.attack.sampling:Sampling",
        "projected-gradient": f"{_WING}.attack.projected_gradient:ProjectedGradient",
        "coordinate-search": f"{_WING}.attack.coordinate_search:CoordinateSearch",
    },
    "prove": {
        "input-split": f"{_WING}.prove.input_split:InputSplit",
        "relu-split": f"{_WING}.prove.relu_split:ReluSplit",
    },
    "explain": {"minimal-inputs": f"{_WING}.explain.minimal_inputs:MinimalInputs"},
    "repair": {
        "last-layer": f"{_WING}.repair.last_layer:LastLayer",
        "retraining": f"{_WING}.repair.retraining:Retraining",
    },
}


def instrument(verb: str, name: str) -> Any:
    """Build one instrument with its default settings.

    Raises:  KeyError: no such verb or name.
    """
    module, _, attribute = CATALOG[verb][name].partition(":")
    return getattr(import_module(module), attribute)()
