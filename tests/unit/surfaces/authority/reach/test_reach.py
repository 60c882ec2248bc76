# SPDX-License-Identifier: Apache-2.0
"""What a grant lets through is found, run and shown; what holds gives nothing, and every claim really happened."""

import json
import random
from collections.abc import Mapping
from typing import Any

import pytest

from safetyboard.laboratory.sandbox.running import available
from safetyboard.readers.grants.catalog import grant_of
from safetyboard.readers.stored import Stored
from safetyboard.surfaces.authority.attack.reach.act import Act, cut, shell
from safetyboard.surfaces.authority.attack.reach.patterns import command_matches, globbed, path_matches, unreadable
from safetyboard.surfaces.authority.attack.reach.search import Reached, reach
from safetyboard.surfaces.authority.attack.reach.stage import CANARY
from safetyboard.surfaces.authority.attack.reach.vendors.catalog import ruled
from safetyboard.terms.budget import Budget
from safetyboard.terms.canonical import digest_of
from safetyboard.terms.errors import WrongUse
from safetyboard.terms.grant import Grant
from safetyboard.terms.progress import Silent

sandboxed = pytest.mark.skipif(available() is not None, reason="no sandbox works here")
CLAIM = "sha256:" + "0" * 64


def read(name: str, content: str | Mapping[str, Any] | list[Any]) -> Grant:
    held = (content if isinstance(content, str) else json.dumps(content)).encode()
    return grant_of(Stored(name=name, size=len(held), load=lambda: held))


def claude(allow: tuple[str, ...] = (), deny: tuple[str, ...] = (), mode: str = "default") -> Grant:
    permissions = {"allow": list(allow), "deny": list(deny), "defaultMode": mode}
    return read(".claude/settings.json", {"permissions": permissions})


def searched(grant: Grant, *only: str, units: int = 40) -> Reached:
    return reach(
        grant, {}, budget=Budget(units=units), seed=3, progress=Silent(), claim_of=lambda effect: CLAIM, only=only
    )


def assert_it_happened(found: Reached) -> None:
    for path in found.paths:
        execution = path.execution
        if execution is None:
            assert path.declared_only
            continue
        assert execution.runs >= 2
        output, changed = found.blobs[execution.output].decode(), execution.changed
        manifest = json.loads(found.blobs[execution.folder])["files"]
        if "line" in execution.criterion:
            assert CANARY in output.split("\n")
        else:
            starts = tuple(execution.criterion["changed"])  # type: ignore[arg-type]
            hits = [pair for name, pair in changed.items() if name.startswith(starts)]
            assert hits
        for name, pair in changed.items():
            assert isinstance(pair, list)
            assert pair[0] == (manifest[name][0] if name in manifest else None)
        if path.effect == "send data over the network":
            assert changed["internet/received"] == [None, digest_of(f"{CANARY}\n".encode())]


@sandboxed
@pytest.mark.idea("B39")
def test_permitting_git_lets_a_denied_file_be_read_and_a_denied_push_be_made() -> None:
    grant = claude(("Bash(git *)",), ("Read(.env)", "Bash(git push *)"))
    found = searched(grant, "read what a rule denies: .env", "push to a protected branch")
    assert {path.effect: [rule.text for rule in path.evaded] for path in found.paths} == {
        "read what a rule denies: .env": ["deny Read(.env)"],
        "push to a protected branch": ["deny Bash(git push *)"],
    }
    assert all(path.execution and path.rules == (("allow Bash(git *)",),) for path in found.paths)
    assert_it_happened(found)


@sandboxed
@pytest.mark.idea("B39", "K19")
def test_an_edit_tool_and_a_test_runner_together_reach_what_neither_does_alone() -> None:
    wanted = "change what starts with the person's shell"
    both = searched(claude(("Bash(make test)",), (), "acceptEdits"), wanted)
    assert [path.steps for path in both.paths] == [("write Makefile", "make test")]
    assert_it_happened(both)
    for alone in (claude(("Bash(make test)",)), claude((), (), "acceptEdits")):
        found = searched(alone, wanted)
        assert found.paths == ()
        assert found.nulls[0].obstruction


@sandboxed
@pytest.mark.parametrize("seed", [11, 12])
def test_grants_drawn_from_a_grammar_are_reached_through_and_their_twins_are_not(seed: int) -> None:
    draw = random.Random(seed)
    program = draw.choice(["find", "awk", "sed", "tar", "perl", "xargs", "env", "make"])
    denied = draw.choice(["Bash(rm *)", "Bash(unlink *)", "Edit(//cell/outside/**)"])
    wide = searched(claude((f"Bash({program} *)",), (denied,)), "delete outside the workspace")
    assert [path.effect for path in wide.paths] == ["delete outside the workspace"]
    assert_it_happened(wide)
    narrow = draw.choice(["Bash(git status)", "Bash(npm run lint:fix --dry)", "Bash(ls)", "WebSearch"])
    twin = searched(claude((narrow,), (denied,)), "delete outside the workspace", "read credentials")
    assert twin.paths == ()


@sandboxed
def test_data_is_sent_and_a_process_outlives_its_call_only_where_the_rules_let_it() -> None:
    found = searched(claude(("Bash(curl *)",)), "send data over the network", "leave a process running")
    assert [(path.effect, path.declared_only) for path in found.paths] == [("send data over the network", False)]
    assert_it_happened(found)
    lasting = searched(claude(("Bash",)), "leave a process running")
    assert [path.effect for path in lasting.paths] == ["leave a process running"]
    assert_it_happened(lasting)


@sandboxed
@pytest.mark.idea("K19")
def test_enforced_mounts_give_nothing_and_are_probed() -> None:
    text = "services:\n  a:\n    image: x\n    network_mode: none\n    working_dir: /w\n    volumes: ['.:/w:ro']\n"
    found = searched(
        read("compose.yaml", text), "delete outside the workspace", "gain privileges", "change hooks",
        "read credentials", units=12,
    )  # fmt: skip
    assert found.paths == ()
    assert {null.detail["effect"] for null in found.nulls} == {
        "delete outside the workspace", "gain privileges", "change hooks", "read credentials",
    }  # fmt: skip
    assert found.probes
    assert [probe for probe in found.probes if probe.outcome == "broken"] == []
    assert found.assumptions


@sandboxed
def test_a_sandbox_that_writes_only_in_the_workspace_still_shows_a_home() -> None:
    text = 'approval_policy = "never"\nsandbox_mode = "workspace-write"\n'
    found = searched(read(".codex/config.toml", text), "read credentials", "remove the audit log", units=12)
    assert [path.effect for path in found.paths] == ["read credentials"]
    assert [null.obstruction for null in found.nulls] == ["units spent"]
    assert_it_happened(found)


@sandboxed
def test_no_tools_and_read_only_tools_give_nothing() -> None:
    weather = {
        "name": "get_weather",
        "inputSchema": {"properties": {"city": {}}},
        "annotations": {"readOnlyHint": True},
    }
    for grant in (read("tools.json", {"tools": []}), read("tools.json", {"tools": [weather]})):
        found = searched(grant)
        assert found.paths == ()
        assert len(found.nulls) >= 10


@sandboxed
def test_tools_known_by_schema_alone_are_declared_and_never_executed() -> None:
    listed = [{"name": "run_shell", "inputSchema": {"properties": {"command": {"type": "string"}}}}]
    found = searched(read("tools.json", {"tools": listed}), "read credentials")
    assert [(path.declared_only, path.execution) for path in found.paths] == [(True, None)]


@sandboxed
def test_a_denied_file_of_the_tree_is_replaced_by_bait_before_anything_runs() -> None:
    found = reach(
        claude(("Bash(git *)",), ("Read(./conf/.env)",)), {"conf/.env": b"KEY=real\n", "a.py": b""},
        budget=Budget(units=30), seed=3, progress=Silent(), claim_of=lambda effect: CLAIM,
        only=["read what a rule denies: conf/.env"],
    )  # fmt: skip
    assert len(found.paths) == 1
    assert_it_happened(found)
    assert b"KEY=real\n" not in {content for content, _ in found.folder.values()}
    assert found.folder["work/a.py"] == (b"", 0o644)


@sandboxed
def test_the_same_seed_gives_the_same_answer() -> None:
    grant = claude(("Bash(find *)",))
    assert searched(grant, "read credentials") == searched(grant, "read credentials")


@sandboxed
def test_a_denial_of_everything_is_never_claimed_to_be_passed() -> None:
    found = searched(claude(("Bash(git *)", "Edit"), ("Bash", "Edit", "Write"), "dontAsk"))
    assert [path.effect for path in found.paths] == []


def test_a_pattern_that_could_take_without_end_is_refused() -> None:
    assert unreadable("/(a+)+$/")
    grant = read(".vscode/settings.json", {"chat.tools.terminal.autoApprove": {"/(a+)+$/": True}})
    with pytest.raises(WrongUse, match="autoApprove"):
        searched(grant)


@pytest.mark.parametrize(
    ("pattern", "command", "matches"),
    [
        ("git:*", "git", True), ("git:*", "git log", True), ("git *", "gitk", False), ("ls*", "lsof", True),
        ("npm run build", "npm run build", True), ("npm run build", "npm run build:dev", False),
        ("* --version", "node --version", True), ("git * main", "git push origin main", True), ("", "x", True),
    ],
)  # fmt: skip
def test_commands_match_as_the_vendor_documents(pattern: str, command: str, matches: bool) -> None:
    assert command_matches(pattern, command) is matches


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        (".env", "a/b/.env", True), ("./.env", "a/.env", False), ("tests/**", "tests/a/b.py", True),
        ("*.key", "a/x.key", True), ("~/.aws/**", "~/.aws/credentials", True), ("**", "../x", True),
        ("//etc/**", "/etc/passwd", True), ("src/*.py", "src/a/b.py", False), (".env", "../.env", False),
    ],
)  # fmt: skip
def test_paths_match_as_in_gitignore(pattern: str, path: str, matches: bool) -> None:
    assert path_matches(pattern, path) is matches


def test_stars_are_matched_in_bounded_time() -> None:
    assert not globbed("*a" * 12 + "b", "a" * 5000)


def test_lines_are_cut_at_operators_outside_quotations() -> None:
    assert cut("a && b 'c; d' | e").parts == ("a", "b 'c; d'", "e")
    assert cut("a > f").redirected
    assert cut('a "$(b)"').dynamic
    assert not cut("a '$(b)'").dynamic
    assert cut("X=1 a").dynamic


@pytest.mark.parametrize(
    ("name", "body", "act", "effect"),
    [
        (".claude/settings.json", {"permissions": {"allow": ["Bash(git *)"]}}, shell("git status && rm x"), "ask"),
        (".claude/settings.json", {"permissions": {"allow": ["Bash(git *)"], "deny": ["Bash(rm *)"]}},
         shell("git status; rm x"), "deny"),
        (".claude/settings.json", {"permissions": {"allow": ["Bash(git *)"], "deny": ["Read(.env)"]}},
         shell("git grep x .env"), "deny"),
        (".claude/settings.json", {"permissions": {"defaultMode": "plan", "allow": ["Bash"]}}, shell("ls"), "deny"),
        (".gemini/settings.json", {"tools": {"allowed": ["run_shell_command(git)"]}}, shell("git log"), "allow"),
        (".gemini/settings.json", {"tools": {"allowed": ["run_shell_command(git)"]}}, shell("git log; ls"), "ask"),
        (".gemini/settings.json", {"tools": {"core": ["ReadFileTool"]}}, shell("ls"), "deny"),
        ("opencode.json", {"permission": {"bash": {"*": "allow", "rm *": "deny"}}}, shell("rm x"), "deny"),
        ("opencode.json", {"permission": {"bash": {"rm *": "deny", "*": "allow"}}}, shell("rm x"), "allow"),
        ("opencode.json", {"permission": {"edit": "deny"}}, Act(kind="read", text=".env"), "deny"),
        ("opencode.json", {"permission": {}}, shell("cat ../x"), "ask"),
        (".cursor/cli.json", {"permissions": {"allow": ["Shell(git)"]}}, shell("git log"), "allow"),
        (".cursor/cli.json", {"permissions": {"allow": ["Shell(git)"], "deny": ["Shell(git:push*)"]}},
         shell("git push"), "deny"),
        (".vscode/settings.json", {"chat.tools.terminal.autoApprove": {"/^git\\s/": True, "git push": False}},
         shell("git push x"), "ask"),
        (".vscode/settings.json", {"chat.tools.terminal.autoApprove": {"git": True}}, shell("git log | sh"), "ask"),
    ],
)  # fmt: skip
def test_each_vendor_s_precedence_is_its_own(name: str, body: dict[str, Any], act: Act, effect: str) -> None:
    assert ruled(read(name, body), act).effect == effect
