# SPDX-License-Identifier: Apache-2.0
"""The ten lines with which anybody replays a docket's witnesses in onnxruntime."""

SCRIPT = """# Replays every witness of this docket in onnxruntime: python replay.py   (needs numpy, onnxruntime)
import base64, gzip, json, numpy, onnxruntime
records = [json.loads(base64.b64decode(json.loads(line)["payload"])) for line in open("log/statements.jsonl")]
by_id = {"sha256:" + r["subject"][0]["digest"]["sha256"]: r["predicate"] for r in records}
for witness in (r for r in by_id.values() if r["kind"] == "witness"):
    domain, network = by_id[by_id[witness["claim"]]["domain"]], witness["recipe"]["subject"].removeprefix("sha256:")
    session = onnxruntime.InferenceSession(open(f"blobs/sha256/{network[:2]}/{network}", "rb").read(), providers=["CPUExecutionProvider"])
    x, node = numpy.array([float.fromhex(v) for v in witness["point"]], dtype=numpy.float32), session.get_inputs()[0]
    shape = [d if isinstance(d, int) and d > 0 else 1 for d in node.shape]
    runs = [x] if domain["lift"]["kind"] == "identity" else [x[:-1], x[:-1] + x[-1] * (numpy.arange(x.size - 1) == domain["lift"]["feature"]).astype("f4")]
    print([session.run(None, {node.name: r.reshape(shape)})[0].ravel().tolist() for r in runs], "recorded", [float.fromhex(v) for v in witness["outputs_deployed"]])
"""
