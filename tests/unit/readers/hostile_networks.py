# SPDX-License-Identifier: Apache-2.0
"""Networks as a fuzzer or an attacker would write them: every operator at random, and real ones with a part changed."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WHOLE = [0, 1, -1, 2, 3, 7, 100, -2, 1 << 20, 1 << 31, 1 << 40, 1 << 62, -(1 << 63), (1 << 63) - 1]
REAL = [0.0, -1.0, float("nan"), float("inf"), 1e38, 1e-45]


class Drawn:
    """Draw one chain of operators that fit together, one node after the other."""

    def __init__(self, seed: int) -> None:
        self.generator = np.random.default_rng([seed, 77])
        self.nodes: list[Any] = []
        self.constants: dict[str, np.ndarray] = {}
        self.name = "x"
        self.start = self.shape = self._first_shape()
        for _ in range(int(self.generator.integers(1, 7))):
            getattr(self, f"add_{self.generator.choice(OPERATORS)}")()

    def _first_shape(self) -> tuple[int, ...]:
        rank = int(self.generator.integers(1, 5))
        return (1, *(int(self.generator.integers(1, 5)) for _ in range(rank)))

    def pick(self, low: int, high: int) -> int:
        return int(self.generator.integers(low, high))

    def constant(self, *shape: int) -> str:
        """Draw float32 values, some zero, some very large or small; returns the name."""
        values = self.generator.normal(size=shape) * 10.0 ** self.generator.choice([0, 0, 0, -12, 9])
        values = np.where(self.generator.random(shape) < 0.1, 0.0, values).astype(np.float32)
        return self.whole(values)

    def whole(self, values: Any) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = np.asarray(values)
        return name

    def put(
        self, operator: str, others: list[str], shape: tuple[int, ...], *, first: bool = True, **given: Any
    ) -> None:
        after = f"t{len(self.nodes)}"
        inputs = [self.name, *others] if first else [*others, self.name]
        self.nodes.append(helper.make_node(operator, inputs, [after], name=f"n{len(self.nodes)}", **given))
        self.name, self.shape = after, shape

    def spread(self) -> str:
        """Draw a constant that broadcasts to the current shape."""
        shape = [size if self.generator.random() < 0.7 else 1 for size in self.shape]
        return self.constant(*shape[self.pick(0, len(shape) + 1) :])

    def add_dense(self) -> None:
        size, outputs = int(np.prod(self.shape)), self.pick(1, 6)
        self.put("Flatten", [], (1, size))
        if self.pick(0, 2):
            self.put("MatMul", [self.constant(size, outputs)], (1, outputs))
            if self.pick(0, 2):
                self.put("Add", [self.constant(outputs)], self.shape, first=bool(self.pick(0, 2)))
            return
        flip = self.pick(0, 2)
        shape = (outputs, size) if flip else (size, outputs)
        forms: list[tuple[int, ...]] = [(outputs,), (1, outputs), (1,), ()]
        bias = [self.constant(*forms[self.pick(0, 4)])] if self.pick(0, 3) else []
        given = {"transB": flip, "alpha": float(self.generator.normal()), "beta": float(self.generator.normal())}
        self.put("Gemm", [self.constant(*shape), *bias], (1, outputs), **given)

    def add_elementwise(self) -> None:
        operator = ["Add", "Sub", "Mul", "Div"][self.pick(0, 4)]
        name = self.spread()
        if operator == "Div":
            self.constants[name] = np.where(self.constants[name] == 0, np.float32(3), self.constants[name])
        self.put(operator, [name], self.shape, first=operator == "Div" or bool(self.pick(0, 2)))

    def add_relu(self) -> None:
        self.put("Relu", [], self.shape)

    def add_convolution(self) -> None:
        if len(self.shape) not in (3, 4):
            return self.add_relu()
        groups = self.shape[1] if self.pick(0, 3) == 0 else 1
        axes, channels = len(self.shape) - 2, groups * self.pick(1, 3)
        kernel = [self.pick(1, size + 1) for size in self.shape[2:]]
        given = {
            "strides": [self.pick(1, 3) for _ in range(axes)],
            "pads": [self.pick(0, 3) for _ in range(2 * axes)],
            "dilations": [1 if k == 1 else self.pick(1, 2) for k in kernel],
        }
        out = [
            (size + given["pads"][a] + given["pads"][axes + a] - kernel[a]) // given["strides"][a] + 1
            for a, size in enumerate(self.shape[2:])
        ]
        bias = [self.constant(channels)] if self.pick(0, 2) else []
        weight = self.constant(channels, self.shape[1] // groups, *kernel)
        return self.put("Conv", [weight, *bias], (1, channels, *out), group=groups, **given)

    def add_normalization(self) -> None:
        channels = self.shape[1] if len(self.shape) > 1 else 1
        names = [self.constant(channels) for _ in range(4)]
        self.constants[names[3]] = np.abs(self.constants[names[3]]) + np.float32(0.01)
        self.put("BatchNormalization", names, self.shape, epsilon=float(10.0 ** -self.pick(2, 7)))

    def add_shape(self) -> None:
        size, rank = int(np.prod(self.shape)), len(self.shape)
        kind = self.pick(0, 5)
        if kind == 0:
            order = [0, *(1 + self.generator.permutation(rank - 1)).tolist()]
            self.put("Transpose", [], tuple(self.shape[axis] for axis in order), perm=order)
        elif kind == 1:
            self.put("Reshape", [self.whole(np.array([1, -1, size], dtype=np.int64))], (1, 1, size))
        elif kind == 2 and rank < 6:
            self.put("Unsqueeze", [self.whole(np.array([1], dtype=np.int64))], (1, 1, *self.shape[1:]))
        elif kind == 3 and rank > 2 and self.shape[1] == 1:
            self.put("Squeeze", [self.whole(np.array([1], dtype=np.int64))], (1, *self.shape[2:]))
        else:
            self.put(["Identity", "Dropout"][self.pick(0, 2)], [], self.shape)

    def content(self) -> bytes:
        ends = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))
            for name, shape in (("x", self.start), (self.name, self.shape))
        ]
        held = [numpy_helper.from_array(value, name) for name, value in self.constants.items()]
        graph = helper.make_graph(self.nodes, "drawn", ends[:1], ends[1:], held)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        return bytes(model.SerializeToString(deterministic=True))


OPERATORS = ("dense", "dense", "elementwise", "relu", "relu", "convolution", "normalization", "shape")


def drawn(seed: int) -> bytes:
    """Draw a network of one to six steps, any operator."""
    return Drawn(seed).content()


def _tensor(model: Any, chance: random.Random) -> Any:
    held = [t for t in model.graph.initializer] + [
        a.t for n in model.graph.node for a in n.attribute if a.HasField("t")
    ]
    return chance.choice(held) if held else model.graph.initializer.add()


def _node(model: Any, chance: random.Random) -> Any:
    return chance.choice(list(model.graph.node)) if model.graph.node else model.graph.node.add()


def _attribute(model: Any, chance: random.Random) -> Any:
    held = [attribute for node in model.graph.node for attribute in node.attribute]
    return chance.choice(held) if held else _node(model, chance).attribute.add()


def _dims(model: Any, chance: random.Random) -> None:
    tensor = _tensor(model, chance)
    if tensor.dims and chance.random() < 0.7:
        tensor.dims[chance.randrange(len(tensor.dims))] = chance.choice(WHOLE)
    else:
        tensor.dims.extend([chance.choice([1, 1, 0, 2])] * chance.choice([1, 2, 40, 70]))


def _twice(model: Any, chance: random.Random) -> None:
    getattr(_tensor(model, chance), chance.choice(["float_data", "int32_data", "int64_data"])).append(1)


def _cut(model: Any, chance: random.Random) -> None:
    tensor = _tensor(model, chance)
    tensor.raw_data = tensor.raw_data[: chance.randrange(len(tensor.raw_data) + 1)]


def _kind(model: Any, chance: random.Random) -> None:
    _tensor(model, chance).data_type = chance.randrange(30)


def _strings(model: Any, chance: random.Random) -> None:
    tensor = _tensor(model, chance)
    tensor.data_type = TensorProto.STRING
    tensor.string_data.extend([b"\xff", b"text"])


def _external(model: Any, chance: random.Random) -> None:
    tensor = _tensor(model, chance)
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def _numbers(model: Any, chance: random.Random) -> None:
    tensor = _tensor(model, chance)
    tensor.raw_data = np.full(max(1, len(tensor.raw_data) // 4), chance.choice(REAL), np.float32).tobytes()


def _name(model: Any, chance: random.Random) -> None:
    _tensor(model, chance).name = chance.choice(["x", "t0", "", "\x1b[2J\n"])


def _values(model: Any, chance: random.Random) -> None:
    attribute = _attribute(model, chance)
    if attribute.ints and chance.random() < 0.8:
        attribute.ints[chance.randrange(len(attribute.ints))] = chance.choice(WHOLE)
    else:
        chance.choice(
            [
                lambda: setattr(attribute, "i", chance.choice(WHOLE)),
                lambda: setattr(attribute, "f", chance.choice(REAL)),
                lambda: setattr(attribute, "type", chance.randrange(15)),
                lambda: attribute.ints.append(1),
            ]
        )()


def _more(model: Any, chance: random.Random) -> None:
    names = [
        "axis",
        "axes",
        "perm",
        "alpha",
        "transA",
        "group",
        "pads",
        "auto_pad",
        "epsilon",
        "value",
        "allowzero",
        "zzz",
    ]
    value = chance.choice([0, 1, -1, 1 << 40, [0], [1, 1], [0, 0, 0, 0], 1.5, "SAME_UPPER", [1.5]])
    _node(model, chance).attribute.append(helper.make_attribute(chance.choice(names), value))


def _operator(model: Any, chance: random.Random) -> None:
    known = [
        "MatMul",
        "Gemm",
        "Sub",
        "Div",
        "Conv",
        "BatchNormalization",
        "Transpose",
        "Reshape",
        "Squeeze",
        "Constant",
        "Loop",
    ]
    _node(model, chance).op_type = chance.choice([*known, "Rel\nu\x1b", ""])


def _wire(model: Any, chance: random.Random) -> None:
    node = _node(model, chance)
    if node.input and chance.random() < 0.5:
        node.input[chance.randrange(len(node.input))] = chance.choice(["", "x", node.output[0] if node.output else "y"])
    elif chance.random() < 0.5:
        node.input.append(chance.choice(["", "x", "t0", "c0"]))
    else:
        node.ClearField(chance.choice(["input", "output"]))


def _order(model: Any, chance: random.Random) -> None:
    if model.graph.node:
        number = chance.randrange(len(model.graph.node))
        copy = model.graph.node[number]
        if chance.random() < 0.5:
            model.graph.node.append(copy)
        else:
            del model.graph.node[number]


def _ends(model: Any, chance: random.Random) -> None:
    shape = model.graph.input[0].type.tensor_type.shape
    chance.choice(
        [
            lambda: setattr(shape.dim.add(), "dim_value", chance.choice(WHOLE)),
            lambda: setattr(shape.dim[0] if shape.dim else shape.dim.add(), "dim_value", chance.choice(WHOLE)),
            lambda: setattr(model.graph.input[0].type.tensor_type, "elem_type", chance.randrange(20)),
            lambda: setattr(model.graph.output[0], "name", chance.choice(["x", "t0", ""])),
            lambda: setattr(model.graph.input.add(), "name", "c0"),
        ]
    )()


CHANGES: tuple[Callable[[Any, random.Random], None], ...] = (
    _dims, _twice, _cut, _kind, _strings, _external, _numbers, _name, _values, _more, _operator, _wire, _order, _ends,
)  # fmt: skip


def changed(content: bytes, seed: int) -> bytes:
    """Change one to three parts of a network, each as its protobuf allows."""
    model, chance = onnx.load_model_from_string(content), random.Random(seed)
    for _ in range(chance.choice([1, 1, 2, 3])):
        chance.choice(CHANGES)(model, chance)
    return bytes(model.SerializeToString())


def scrambled(content: bytes, seed: int) -> bytes:
    """Change bytes of a file: single ones, cuts, repeats, an end torn off."""
    chance, made = random.Random(seed), bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 4])):
        place = chance.randrange(len(made) or 1)
        kind = chance.randrange(5)
        if kind == 0:
            made[place : place + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            del made[place : place + chance.randrange(1, 9)]
        elif kind == 2:
            made[place:place] = chance.randbytes(chance.randrange(1, 6))
        elif kind == 3:
            made[place : place + 24] = made[chance.randrange(len(made) or 1) :][:24]
        elif chance.random() < 0.2:
            del made[place:]
    return bytes(made)
