# SPDX-License-Identifier: Apache-2.0
"""Facts of a CI configuration, each with its file and line quoted; what they mean for safety is not said here."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from safetyboard.readers.pipelines.commands import EXCUSED, JUDGES, MAKE, PROTECTED, lines_of, recipe, targets_of
from safetyboard.readers.pipelines.safe_yaml import LARGEST, Node, read_yaml
from safetyboard.readers.stored import printable
from safetyboard.terms.errors import SafetyboardError

LONGEST = 300
MOST_FILES = 200
MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
_WORKFLOW = re.compile(r"\.github/workflows/[^/]+\.ya?ml")
_GITLAB = ".gitlab-ci.yml"
_SECRET = re.compile(r"\$\{\{\s*(secrets\.[\w-]+|github\.token)\s*\}\}")
_UNTRUSTED = re.compile(
    r"\$\{\{\s*github\.(head_ref|event\.(pull_request|issue|comment|review)[\w.]*(title|body|ref|label))"
)
_HEAD = re.compile(r"github\.(head_ref|event\.pull_request\.head)")
_GITLAB_WORDS = ("stages", "variables", "default", "include", "workflow", "image", "services", "cache", "before_script",
                 "after_script", "pages")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Fact:
    """Quote one thing that a configuration says.

    Args:    kind: judges (a command that tests or lints), excused (its failure does not count), trigger, checkout (the
             tests come with the change that is judged), protected-checkout (from a named other place), unpinned,
             permissions, no-permissions, secret, credentials, untrusted-text, include. job: empty for the whole file.
    """

    kind: str
    path: str
    line: int
    quotation: str
    meaning: str
    job: str = ""


@dataclass(frozen=True, kw_only=True)
class Pipelines:
    """Hold what the configurations of one tree say; `faults` has a sentence for each that was not read."""

    facts: tuple[Fact, ...] = ()
    read: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()

    def of_kind(self, kind: str) -> tuple[Fact, ...]:
        """Pick the facts of one kind."""
        return tuple(fact for fact in self.facts if fact.kind == kind)


@dataclass(kw_only=True)
class _Page:
    """One file while it is read: its lines, and the facts found in it."""

    path: str
    lines: list[str]
    rules: Mapping[str, tuple[tuple[str, ...], tuple[tuple[int, str], ...]]]
    makefile: str
    facts: list[Fact] = field(default_factory=list)

    def say(self, kind: str, line: int, meaning: str, job: str = "", quotation: str = "") -> None:
        text = quotation or (self.lines[line - 1].strip() if 0 < line <= len(self.lines) else "")
        self.facts.append(
            Fact(
                kind=kind,
                path=self.path,
                line=line,
                quotation=printable(text, LONGEST),
                meaning=meaning,
                job=printable(job),
            )
        )

    def run(self, node: Node, job: str) -> None:
        """Say of a script which of its lines judge, and whether their failures count."""
        starts = self.lines[node.line - 1] if 0 < node.line <= len(self.lines) else ""
        block = bool(re.search(r":\s*[|>][-+0-9]*\s*(#.*)?$", starts)) or starts.strip().lstrip("- ")[:1] in ("|", ">")
        for line, text in lines_of(node.text, node.line + block):
            self.command(line, text, job)

    def command(self, line: int, text: str, job: str) -> None:
        """Say what one shell line is for; a make target is followed into the Makefile."""
        if PROTECTED.search(text):
            self.say("protected-checkout", line, "fetches files from a named other place", job, text)
        if _UNTRUSTED.search(text):
            self.say("untrusted-text", line, "puts words of a stranger into a shell command", job, text)
        target = MAKE.search(text)
        inner = recipe(target[2], self.rules) if target else ()
        judged = [(number, each) for number, each in inner if JUDGES.search(each.lstrip("-+@"))]
        if not (JUDGES.search(text) or judged):
            return
        self.say("judges", line, "runs what judges the change", job, text)
        if EXCUSED.search(text):
            self.say("excused", line, "a failure of this command does not count", job, text)
        for number, each in judged:
            fact = Fact(
                kind="judges", path=self.makefile, line=number, quotation=printable(each, LONGEST),
                meaning=f"run by the target {printable(target[2]) if target else ''}", job=printable(job),
            )  # fmt: skip
            self.facts.append(fact)
            if EXCUSED.search(each):
                self.facts.append(Fact(kind="excused", path=fact.path, line=number, quotation=fact.quotation,
                                       meaning="a failure of this command does not count", job=fact.job))  # fmt: skip


def pipelines_of(files: Mapping[str, bytes]) -> Pipelines:
    """Read the GitHub workflows and the GitLab configuration of a tree, and the Makefile targets they run.

    Included files, reusable workflows and actions are named and not followed.
    """
    makefile = next((name for name in MAKEFILES if name in files and len(files[name]) <= LARGEST), "")
    rules = targets_of(files[makefile].decode("utf-8", "replace")) if makefile else {}
    facts: list[Fact] = []
    read: list[str] = []
    faults: list[str] = []
    names = sorted(path for path in files if _WORKFLOW.fullmatch(path) or path == _GITLAB)
    faults += [f"{path}: is over {MOST_FILES} files, not read." for path in names[MOST_FILES:]]
    for path in names[:MOST_FILES]:
        try:
            node = read_yaml(files[path], path)
        except SafetyboardError as error:
            faults.append(str(error))
            continue
        page = _Page(
            path=path, lines=files[path].decode("utf-8-sig", "replace").splitlines(), rules=rules, makefile=makefile
        )
        _gitlab(page, node) if path == _GITLAB else _workflow(page, node)
        facts += page.facts
        read.append(path)
    return Pipelines(facts=tuple(facts), read=tuple(read), faults=tuple(faults))


def _workflow(page: _Page, top: Node) -> None:
    """Source: docs.github.com, Workflow syntax for GitHub Actions."""
    when = top.get("on")
    risky = {"pull_request_target", "workflow_run", "issue_comment"}
    for name, line in _events(when):
        what = "runs with the base repository's rights on a stranger's change" if name in risky else "starts it"
        page.say("trigger", line, f"{name}: {what}")
    _permissions(page, top, "")
    jobs = top.get("jobs")
    allowed = top.get("permissions") is not None
    for job, body in jobs.pairs if jobs else ():
        _permissions(page, body, job)
        if not allowed and body.get("permissions") is None:
            page.say("no-permissions", body.line, "states no permissions; the repository's default applies", job)
        if (uses := body.get("uses")) is not None:
            page.say("include", uses.line, "another workflow; not followed", job)
        _excused(page, body, job)
        steps = body.get("steps")
        for step in steps.items if steps else ():
            _step(page, step, job)
    for name, value in top.walk():
        if value.text and _SECRET.search(value.text):
            page.say("secret", value.line, f"hands a secret to {printable(name)}", "", f"{name}: {value.text}")


def _events(when: Node | None) -> Iterator[tuple[str, int]]:
    if when is None:
        return
    if when.text:
        yield printable(when.text), when.line
    for item in when.items:
        yield printable(item.text), item.line
    for name, value in when.pairs:
        yield printable(name), value.line if value.text or not (value.pairs or value.items) else max(value.line - 1, 1)


def _permissions(page: _Page, node: Node, job: str) -> None:
    found = node.get("permissions")
    if found is None:
        return
    if found.text or not found.pairs:
        page.say("permissions", found.line, found.text or "none", job)
    for name, value in found.pairs:
        page.say("permissions", value.line, f"{printable(name)}: {printable(value.text)}", job)


def _excused(page: _Page, node: Node, job: str) -> None:
    for key in ("continue-on-error", "allow_failure"):
        found = node.get(key)
        if found is not None and found.text.lower() != "false":
            page.say("excused", found.line, "a failure here does not count", job)


def _step(page: _Page, step: Node, job: str) -> None:
    _excused(page, step, job)
    if (run := step.get("run")) is not None:
        page.run(run, job)
    uses = step.get("uses")
    if uses is None:
        return
    if not uses.text.startswith("./") and not re.search(r"@[0-9a-f]{40}$", uses.text):
        page.say("unpinned", uses.line, "an action by a name that can be moved", job)
    if not re.match(r"actions/checkout(@|$)", uses.text):
        return
    given = step.get("with") or Node(line=uses.line)
    ref, other = given.get("ref"), given.get("repository")
    if ref is not None and _HEAD.search(ref.text):
        page.say("checkout", ref.line, "takes the change itself by name, tests included", job)
    elif ref is not None or other is not None:
        place = ref or other or uses
        page.say("protected-checkout", place.line, "takes files from a named other place", job)
    else:
        page.say("checkout", uses.line, "takes the commit that is judged, tests included", job)
    kept = given.get("persist-credentials")
    if kept is None or kept.text.lower() != "false":
        page.say("credentials", (kept or uses).line, "leaves the token in the working copy (the default)", job)


def _gitlab(page: _Page, top: Node) -> None:
    """Source: docs.gitlab.com, CI/CD YAML syntax reference."""
    if (included := top.get("include")) is not None:
        page.say("include", included.line, "another configuration; not followed")
    for job, body in top.pairs:
        scripts = [body] if job in ("before_script", "after_script") else []
        if job not in _GITLAB_WORDS or job in ("default", "pages"):
            scripts += [found for key in ("before_script", "script", "after_script") if (found := body.get(key))]
            _excused(page, body, job)
        for script in scripts:
            for each in script.items or ((script,) if script.text else ()):
                page.run(each, job)
        if scripts and not job.startswith(".") and body.get("script") is not None:
            page.say("checkout", body.line, "takes the commit that is judged, tests included (the default)", job)
