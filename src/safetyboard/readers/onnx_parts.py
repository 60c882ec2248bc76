# SPDX-License-Identifier: Apache-2.0
"""Read the tensors and attributes of an ONNX graph strictly: what two readers could take differently is refused."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx

from safetyboard.readers.stored import printable
from safetyboard.terms.errors import UnreadableInput, UnsupportedOperator

LARGEST_CONSTANT = 1 << 26
MOST_AXES = 8
FLOAT, INT32, INT64 = onnx.TensorProto.FLOAT, onnx.TensorProto.INT32, onnx.TensorProto.INT64
_FORMS = {FLOAT: ("<f4", "float_data"), INT32: ("<i4", "int32_data"), INT64: ("<i8", "int64_data")}
_DATA = ("raw_data", "float_data", "int32_data", "int64_data", "string_data", "double_data", "uint64_data")
_KIND = onnx.AttributeProto
_FIELDS = {
    _KIND.FLOAT: "f",
    _KIND.INT: "i",
    _KIND.STRING: "s",
    _KIND.TENSOR: "t",
    _KIND.FLOATS: "floats",
    _KIND.INTS: "ints",
}
_VALUES = {*_FIELDS.values(), "g", "sparse_tensor", "tp", "strings", "tensors", "graphs", "sparse_tensors"}
ATTRIBUTES: Mapping[str, Mapping[str, Any]] = {
    "Gemm": {"alpha": _KIND.FLOAT, "beta": _KIND.FLOAT, "transA": _KIND.INT, "transB": _KIND.INT},
    "Conv": {
        **dict.fromkeys(("strides", "pads", "dilations", "kernel_shape"), _KIND.INTS),
        "group": _KIND.INT,
        "auto_pad": _KIND.STRING,
    },
    "BatchNormalization": {
        **dict.fromkeys(("epsilon", "momentum"), _KIND.FLOAT),
        **dict.fromkeys(("training_mode", "spatial"), _KIND.INT),
    },
    "Transpose": {"perm": _KIND.INTS},
    "Flatten": {"axis": _KIND.INT},
    "Squeeze": {"axes": _KIND.INTS},
    "Unsqueeze": {"axes": _KIND.INTS},
    "Reshape": {"allowzero": _KIND.INT},
    "Dropout": {"ratio": _KIND.FLOAT, "seed": _KIND.INT},
    "Constant": {
        "value": _KIND.TENSOR,
        "value_float": _KIND.FLOAT,
        "value_floats": _KIND.FLOATS,
        "value_int": _KIND.INT,
        "value_ints": _KIND.INTS,
    },
}
"""Attributes that are understood, with their types; the operators not named here have none."""


def array_of(tensor: Any, name: str) -> "np.ndarray[Any, Any]":
    """Read a constant: float32, int32 or int64, its numbers inside the file, each exactly once.

    Raises:  UnreadableInput, UnsupportedOperator: naming the file and the tensor.
    """
    what = f"{name}: tensor {printable(tensor.name)!r}"
    if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
        raise UnreadableInput(f"{what} keeps its data in another file.", hint="Export with the data inside.")
    if tensor.data_type not in _FORMS:
        known = onnx.TensorProto.DataType
        kind = known.Name(tensor.data_type) if tensor.data_type in known.values() else f"type {tensor.data_type}"
        raise UnsupportedOperator(f"{what} is {kind}; only float32 networks are supported.")
    form, field = _FORMS[tensor.data_type]
    held = [entry.name for entry, _ in tensor.ListFields() if entry.name in _DATA]
    if len(held) > 1 or not set(held) <= {"raw_data", field} or tensor.HasField("segment"):
        raise UnreadableInput(f"{what} holds its numbers twice or in the wrong form.", hint="Export the network again.")
    shape = [int(size) for size in tensor.dims]
    if "raw_data" in held and len(tensor.raw_data) % np.dtype(form).itemsize:
        raise UnreadableInput(f"{what} is cut off in the middle of a number.", hint="Export the network again.")
    values = np.frombuffer(tensor.raw_data, form) if "raw_data" in held else np.array(getattr(tensor, field), form)
    if len(shape) > MOST_AXES or min(shape, default=1) < 1 or not 0 < math.prod(shape) == values.size:
        raise UnreadableInput(f"{what} declares shape {shape[:9]} but holds {values.size} numbers.")
    if values.size > LARGEST_CONSTANT:
        raise UnreadableInput(f"{what} holds {values.size} numbers, over the limit of {LARGEST_CONSTANT}.")
    if tensor.data_type == FLOAT and not np.isfinite(values).all():
        raise UnreadableInput(f"{what} holds NaN or infinite weights.", hint="Train or export the network again.")
    return values.reshape(shape)


def attributes_of(node: Any, place: str) -> dict[str, Any]:
    """Read a node's attributes: each known, once, with one finite value of its type.

    Args:    place: names file and node in messages.
    Raises:  UnreadableInput, UnsupportedOperator.
    """
    found: dict[str, Any] = {}
    known = ATTRIBUTES.get(node.op_type, {})
    for attribute in node.attribute:
        name = printable(attribute.name)
        if attribute.name not in known:
            raise UnsupportedOperator(f"{place}: the attribute {name!r} is not supported.")
        kind = known[attribute.name]
        field = _FIELDS[kind]
        held = {entry.name for entry, _ in attribute.ListFields()} & _VALUES
        if attribute.name in found or attribute.ref_attr_name or held - {field} or attribute.type not in (0, kind):
            raise UnreadableInput(f"{place}: the attribute {name!r} has two values, or one of a wrong type.")
        if not held and (attribute.type != kind or kind == _KIND.TENSOR):
            raise UnreadableInput(f"{place}: the attribute {name!r} has no value.")
        value = getattr(attribute, field)
        found[attribute.name] = list(value) if field in ("ints", "floats") else value
        if kind in (_KIND.FLOAT, _KIND.FLOATS) and not np.isfinite(value).all():
            raise UnreadableInput(f"{place}: the attribute {name!r} is NaN or infinite.")
    return found


def constant_of(node: Any, place: str, name: str) -> "np.ndarray[Any, Any]":
    """Read a Constant node.

    Raises:  UnreadableInput, UnsupportedOperator: see `array_of`.
    """
    attributes = attributes_of(node, place)
    if len(attributes) != 1 or not node.output:
        raise UnreadableInput(f"{place}: a constant needs exactly one value.")
    (key, value), *_ = attributes.items()
    if key == "value":
        return array_of(value, name)
    return np.asarray(value, dtype=np.float32 if key.startswith("value_float") else np.int64)
