# SPDX-License-Identifier: Apache-2.0
"""The dozen lines with which anybody replays a docket's witnesses in onnxruntime."""

SCRIPT = """\
# Replays every witness of this docket in onnxruntime: python replay.py   (needs numpy, onnxruntime)
import base64, json, numpy, onnxruntime as ort, os, pathlib
os.chdir(pathlib.Path(__file__).resolve().parent); options = ort.SessionOptions()
options.graph_optimization_level, options.intra_op_num_threads = ort.GraphOptimizationLevel.ORT_DISABLE_ALL, 1
bodies = [json.loads(base64.b64decode(json.loads(line)["payload"])) for line in open("log/statements.jsonl", "rb")]
records = {"sha256:" + body["subject"][0]["digest"]["sha256"]: body["predicate"] for body in bodies}
for name, witness in [entry for entry in records.items() if entry[1]["kind"] == "witness"]:
    lift, digest = records[records[witness["claim"]]["domain"]]["lift"], witness["recipe"]["subject"][7:]
    if not os.path.exists(file := f"blobs/sha256/{digest[:2]}/{digest}"): print(name, "network withheld"); continue
    session, point = ort.InferenceSession(file, options), numpy.array([*map(float.fromhex, witness["point"])], "f4")
    node, twin = session.get_inputs()[0], lift["kind"] == "twin" and numpy.arange(point.size - 1) == lift["feature"]
    runs = [point] if twin is False else [point[:-1], numpy.where(twin, point[:-1] + point[-1], point[:-1])]
    shape = [size if isinstance(size, int) and size > 0 else 1 for size in node.shape]
    outputs = [float(y).hex() for run in runs for y in session.run(None, {node.name: run.reshape(shape)})[0].ravel()]
    print(name, ["OTHER OUTPUTS", "as recorded"][outputs == witness["outputs_deployed"]], *map(float.fromhex, outputs))
"""
