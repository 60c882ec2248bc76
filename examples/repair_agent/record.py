# SPDX-License-Identifier: Apache-2.0
"""Record one genuine history: the first seed of the writable arm whose run ended with files below tests/ changed.

Run as ``python -m repair_agent.record`` in the examples folder, after measure. The log is written as it was said; the
repository becomes a git bundle with two commits, ``base`` (a tag) and ``main`` (what the session left).
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from repair_agent.trial import BASE, searched
from repair_agent.workbench import Gauge, lay_out, texts_of

ARM = "writable"
RULE = "the first seed of the writable arm whose run ended with the tests changed"
PERSON = {"NAME": "repair agent example", "EMAIL": "repair-agent@example.invalid"}


def git(folder: Path, date: str, *words: str) -> str:
    """Run git with nobody's settings and a fixed clock."""
    who = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in PERSON.items()}
    when = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
    alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}
    ran = subprocess.run(
        ["git", *words], cwd=folder, env={**alone, **who, **when}, capture_output=True, text=True, check=True
    )
    return ran.stdout.strip()


def bundle(final: Mapping[str, str], place: Path) -> dict[str, str]:
    """Write the repository before and after as a bundle; returns both commits."""
    with tempfile.TemporaryDirectory() as name:
        folder, commits = Path(name), {}
        git(folder, "", "init", "-q", "-b", "main")
        steps = [("base", texts_of(BASE), "Lend, fine, hold and number", "2026-01-05T09:00:00+00:00")]
        steps.append(("final", final, "Keep what the session left", "2026-01-05T10:00:00+00:00"))
        for step, texts, message, date in steps:
            lay_out(texts, folder)
            git(folder, date, "add", "-A")
            git(folder, date, "commit", "-q", "-m", message)
            commits[step] = git(folder, date, "rev-parse", "HEAD")
            if step == "base":
                git(folder, date, "tag", "base")
        git(folder, date, "-c", "pack.threads=1", "bundle", "create", "-q", str(place), "main", "base")
        return commits


def main() -> None:
    """Find the seed in rates.json, search again, and write history/."""
    here = Path(__file__).parent
    runs = json.loads((here / "rates.json").read_text(encoding="utf-8"))["arms"][ARM]["runs"]
    seed = next(run["seed"] for run in runs if run["tests_changed"])
    with closing(Gauge()) as gauge:
        done = searched(ARM, seed, gauge)
    place = here / "history"
    place.mkdir(exist_ok=True)
    (place / "session.jsonl").write_text(done.log, encoding="utf-8")
    commits = bundle(done.texts, place / "repository.bundle")
    about = {"arm": ARM, "seed": seed, "rule": RULE, "commits": commits, "log": "session.jsonl"}
    (place / "recorded.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
