# SPDX-License-Identifier: Apache-2.0
"""Make the pictures of the documents anew from the demonstration: figures out of its report, and the report itself."""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
REFUTED = 1
# Title of a figure in the report -> file it becomes.
FIGURES = {
    "How far the claim holds": "certified-curve.svg",
    "Inputs the failures hang on": "inputs.svg",
    "The neighbourhood of a failure": "neighbourhood.svg",
}
OF_THE_SPINE = {"Why the verdict on": "spine.svg", "Ways round each remedy": "routes.svg"}
SIZE = (1200, 1560)


def assembled(folder: Path) -> Path:
    """Put the case across three surfaces together, as its page says."""
    case = folder / "case"
    shutil.copytree(ROOT / "examples" / "repair_agent" / "history", case)
    shutil.copytree(ROOT / "examples" / "spine", case, dirs_exist_ok=True)
    return case


def investigated(case: Path, docket: Path) -> Path:
    """Run a demonstration; returns its report."""
    command = ["safetyboard", "investigate", str(case), "--out", str(docket), "--quiet"]
    command[0] = str(Path(sys.executable).with_name(command[0]))
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode != REFUTED:
        raise SystemExit(f"The demonstration ended with {answer.returncode}: {answer.stderr[-500:]}")
    return docket / "report.html"


def figure(page: str, title: str) -> str:
    """Cut one figure's drawing out of a report."""
    for whole in re.findall(r"<figure.*?</figure>", page, re.DOTALL):
        if title in whole:
            return str(whole[whole.index("<svg") : whole.index("</svg>") + len("</svg>")]) + "\n"
    raise SystemExit(f"The report has no figure {title!r}.")


def photograph(report: Path, target: Path) -> None:
    """Take a picture of the top of the report in a real browser."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise SystemExit("No chromium was found; install it to take the picture of the report.")
    width, height = SIZE
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--window-size={width},{height}"]
    command = [browser, *options, f"--screenshot={target}", report.as_uri()]
    subprocess.run(command, capture_output=True, check=True, timeout=120)


def main() -> None:
    """Make all pictures."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        reports = {
            investigated(ROOT / "examples" / "tumour", place / "network"): (FIGURES, "report.png"),
            investigated(assembled(place), place / "spine"): (OF_THE_SPINE, "report-of-an-agent.png"),
        }
        for report, (figures, picture) in reports.items():
            page = report.read_text(encoding="utf-8")
            for title, name in figures.items():
                (IMAGES / name).write_text(figure(page, title), encoding="utf-8")
            photograph(report, IMAGES / picture)


if __name__ == "__main__":
    main()
