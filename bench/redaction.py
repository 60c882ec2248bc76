# SPDX-License-Identifier: Apache-2.0
"""Secrets in text: how many planted ones are taken out, how often ordinary text is touched, and how fast it is.

python bench/redaction.py [--each N] [--out FILE]     SAFETYBOARD_DATA names the data; one core
"""

import argparse
import base64
import json
import os
import platform
import random
import sys
import time
from collections import Counter
from importlib import metadata
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

from needles.planted_secrets import SET, drawn, planted, stays, twins  # noqa: E402
from safetyboard.evidence import redaction  # noqa: E402
from safetyboard.evidence.redaction import redacted, spans  # noqa: E402
from safetyboard.stats.binomial import clopper_pearson  # noqa: E402

SEED = 2026
SALT = b"bench"
TEXTS = (".json", ".jsonl", ".traj", ".py", ".md", ".txt", ".toml", ".yaml", ".yml", ".csv", ".sh")
# What no pattern was written for, and nothing promises to find.
DISGUISED = (
    "the password is {}",
    "mysql -uroot -p{} shop",
    "log in as admin with {} please",
    "credentials: admin/{}",
    "user: admin / pass: {}",
    "echo {} | sudo -S true",
)


def rate(hits: int, trials: int) -> dict[str, Any]:
    """Say a rate with its 95 % interval (Clopper-Pearson)."""
    low, high = clopper_pearson(hits, trials)
    return {"count": hits, "of": trials, "from": round(low, 4), "to": round(high, 4)}


def recall(each: int) -> dict[str, Any]:
    """Count the planted secrets that are taken out, by kind."""
    hit, met = Counter[str](), Counter[str]()
    for kind, secret, text in planted(SEED, each):
        met[kind] += 1
        hit[kind] += not stays(secret, redacted(text, salt=SALT).text)
    kinds = {kind: rate(hit[kind], met[kind]) for kind in sorted(met)}
    return {"all": rate(hit.total(), met.total()), "by kind": kinds}


def disguised(each: int) -> dict[str, Any]:
    """Count what is taken out where the secret stands in prose, bare, or encoded."""
    chance = random.Random(SEED)
    make = SET["password set"][1]
    found = {}
    for shape in DISGUISED:
        made = [make(chance) for _ in range(each)]
        hits = sum(not stays(each, redacted(shape.format(each), salt=SALT).text) for each in made)
        found[shape] = rate(hits, each)
    tokens = ["ghp_" + drawn(chance, "abcdefghijkABCDEFGHIJK0123456789", 36) for _ in range(each)]
    coded = [base64.b64encode(f"token={token}".encode()).decode() for token in tokens]
    hits = sum(redacted(f"data: {text}", salt=SALT).count > 0 for text in coded)
    return found | {"a token in Base64": rate(hits, each)}


def alarms(data: Path) -> dict[str, Any]:
    """Count what is taken out of ordinary files, each place to be looked at by a person."""
    files = characters = 0
    found = []
    spent = time.process_time()
    for path in sorted(each for each in data.rglob("*") if each.suffix in TEXTS and each.is_file()):
        if path.stat().st_size > 8_000_000 or characters > 60_000_000:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        files, characters = files + 1, characters + len(text)
        found += [
            {"file": str(path.relative_to(data)), "kind": span.kind, "shape": shape_of(text[span.start : span.end])}
            for span in spans(text)
        ]
    spent = time.process_time() - spent
    return {
        "files": files,
        "characters": characters,
        "taken out": len(found),
        "files touched": rate(len({each["file"] for each in found}), files),
        "places": found[:60],
        "megabytes a CPU-second": round(characters / 1e6 / spent, 2),
    }


def shape_of(text: str) -> str:
    """Say what a place looks like without saying what stands there."""
    return "".join("9" if c.isdigit() else "a" if c.isalpha() else c for c in text[:24])


def main() -> None:
    """Measure, and write the raw results."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--each", type=int, default=200, help="planted secrets of each kind")
    asked.add_argument("--out", type=Path, default=HERE / "results" / "redaction.json")
    words = asked.parse_args()
    named = os.environ.get("SAFETYBOARD_DATA")
    false = list(twins(SEED, words.each))
    touched = sum(redacted(text, salt=SALT).count > 0 for text in false)
    with_plugins = recall(words.each)
    plugins, redaction._plugins = redaction._plugins, lambda: ()
    own = recall(words.each)["all"]
    redaction._plugins = plugins
    said = {"recall, all kinds": with_plugins["all"], "look-alikes touched": rate(touched, len(false))}
    flat = {name: f"{each['count']} of {each['of']} [{each['from']}, {each['to']}]" for name, each in said.items()}
    result = {
        "question": "Secrets in text: how many planted ones are taken out, and how often ordinary text is touched?",
        "command": "python bench/redaction.py",
        "machine": {
            "python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}",
            "detect-secrets": metadata.version("detect-secrets"), "load_before": round(os.getloadavg()[0], 1),
        },
        "threads": 1,
        "seed": SEED,
        "recall": with_plugins,
        "recall without detect-secrets": own,
        "disguised": disguised(words.each),
        "look-alikes touched by count": said["look-alikes touched"],
        "ordinary files": alarms(Path(named)) if named else "NOT_RUN: SAFETYBOARD_DATA is not set",
        **flat,
    }  # fmt: skip
    words.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
