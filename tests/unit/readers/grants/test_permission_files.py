# SPDX-License-Identifier: Apache-2.0
"""Permission files are read leaf by leaf, each with its place; what is not understood is counted."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from safetyboard.readers.grants.catalog import CATALOG, grant_of, kind_of, reader
from safetyboard.readers.records.pointers import value_at
from safetyboard.readers.stored import Stored
from safetyboard.terms.errors import SafetyboardError, SyntaxFault, UnreadableInput
from safetyboard.terms.grant import Grant

CLAUDE = {
    "permissions": {
        "allow": ["Bash(git *)", "Edit"], "deny": ["Read(.env)"], "ask": ["Bash(git push *)"],
        "defaultMode": "acceptEdits", "additionalDirectories": ["../docs"],
    },
    "sandbox": {"enabled": True, "filesystem": {"denyRead": ["~/.aws"]}},
    "hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "./check.sh"}]}]},
    "newThing": 1,
}  # fmt: skip


def stored(name: str, content: str | Mapping[str, Any] | list[Any]) -> Stored:
    held = (content if isinstance(content, str) else json.dumps(content)).encode()
    return Stored(name=name, size=len(held), load=lambda: held)


def read(name: str, content: str | Mapping[str, Any] | list[Any]) -> Grant:
    return grant_of(stored(name, content))


def told(grant: Grant) -> list[str]:
    return [rule.text for rule in grant.rules]


def walls(grant: Grant) -> set[tuple[str, str, str]]:
    return {(each.kind, each.what, each.path) for each in grant.enforcement}


def test_claude_settings_give_rules_mode_folders_hooks_and_sandbox() -> None:
    grant = read("repo/.claude/settings.json", CLAUDE)
    assert grant.format == "claude-code"
    assert told(grant) == ["deny Read(.env)", "ask Bash(git push *)", "allow Bash(git *)", "allow Edit"]
    assert grant.mode == "acceptEdits"
    assert {("sandbox", "workspace-write", ""), ("network", "off", ""), ("mount", "hidden", "~/.aws")} <= walls(grant)
    assert grant.extra["hooks"]
    assert grant.unknown == {"newThing": 1}


@pytest.mark.parametrize("name", ["repo/.claude/settings.json", "repo/.vscode/settings.json", "opencode.json"])
def test_every_rule_stands_where_its_place_says(name: str) -> None:
    terminal = {"chat.tools.terminal.autoApprove": {"npm test": True, "/^git (status|log)/": True, "rm": False}}
    bodies: dict[str, dict[str, Any]] = {
        "repo/.claude/settings.json": CLAUDE,
        "repo/.vscode/settings.json": terminal,
        "opencode.json": {"permission": {"bash": {"*": "ask", "git *": "allow"}, "edit": "deny"}},
    }
    grant = read(name, bodies[name])
    assert grant.rules
    for rule in grant.rules:
        leaf = value_at(bodies[name], rule.place.pointer)
        assert rule.place.file == grant.source
        assert leaf in (True, False, rule.effect) or rule.tool in leaf


def test_codex_policies_become_walls_and_a_profile_is_said_to_be_left() -> None:
    text = (
        'approval_policy = "never"\nsandbox_mode = "workspace-write"\n[sandbox_workspace_write]\nnetwork_access = '
        'true\nwritable_roots = ["~/scratch"]\n[mcp_servers.files]\ncommand = "npx"\n[profiles.wild]\nmodel="x"\n'
    )
    grant = read("home/.codex/config.toml", text)
    assert (grant.format, grant.mode) == ("codex", "never")
    assert {("network", "on", ""), ("mount", "writable", "~/scratch"), ("mount", "read-only", ".git")} <= walls(grant)
    assert [tool.name for tool in grant.tools] == ["mcp__files"]
    assert any("profiles" in note for note in grant.notes)


def test_an_empty_codex_file_has_the_vendor_s_defaults() -> None:
    grant = read("home/.codex/config.toml", "model = 'x'\n")
    assert (grant.mode, ("sandbox", "read-only", "") in walls(grant)) == ("on-request", True)


def test_both_forms_of_gemini_settings_are_read() -> None:
    new = read(".gemini/settings.json", {"tools": {"allowed": ["run_shell_command(git)"], "exclude": ["web_fetch"]}})
    old = read(".gemini/settings.json", {"coreTools": ["ReadFileTool"], "excludeTools": ["run_shell_command(rm)"]})
    assert told(new) == ["deny web_fetch", "allow run_shell_command(git)"]
    assert told(old) == ["deny run_shell_command(rm)", "ask ReadFileTool"]


def test_opencode_rules_keep_their_order_and_switches_that_are_off_deny() -> None:
    text = '{ // mine\n"tools": {"webfetch": false}, "permission": {"bash": {"*": "allow", "rm *": "deny",}, },}'
    assert told(read("opencode.jsonc", text)) == ["deny webfetch", "allow bash(*)", "deny bash(rm *)"]
    assert told(read("opencode.json", {"permission": "allow"})) == ["allow *"]


def test_cursor_lists_are_read() -> None:
    body = {"version": 1, "permissions": {"allow": ["Shell(ls)"], "deny": ["Write(**/*.key)"]}}
    assert told(read(".cursor/cli.json", body)) == ["deny Write(**/*.key)", "allow Shell(ls)"]


def test_false_in_vs_code_takes_back_and_forbids_nothing() -> None:
    body = {"chat.tools.terminal.autoApprove": {"rm": False, "ls": {"approve": True}}, "chat.tools.autoApprove": True}
    assert told(read(".vscode/settings.json", body)) == ["allow *", "ask terminal(rm)", "allow terminal(ls)"]


@pytest.mark.parametrize(
    "body",
    [
        {"jsonrpc": "2.0", "id": 1, "result": {"tools": [{"name": "send", "inputSchema": {"type": "object"}}]}},
        [{"type": "function", "function": {"name": "send", "parameters": {"type": "object"}}}],
        [{"name": "send", "description": "d", "input_schema": {"type": "object", "properties": {}}}],
        {"commands": [{"name": "send", "args": {"to": "<address>"}}]},
    ],
)
def test_lists_of_tools_are_read_in_each_of_their_shapes(body: Any) -> None:
    grant = read("tools.json", body)
    assert [tool.name for tool in grant.tools] == ["send"]
    value_at(body, grant.tools[0].place.pointer)


def test_servers_are_named_without_the_secrets_of_their_environment() -> None:
    grant = read(".mcp.json", {"mcpServers": {"db": {"command": "npx", "args": ["x"], "env": {"TOKEN": "hunter2"}}}})
    assert [tool.name for tool in grant.tools] == ["mcp__db"]
    assert "hunter2" not in repr(grant)


def test_compose_services_tell_mounts_networks_and_holes() -> None:
    text = (
        "services:\n  agent:\n    image: x\n    working_dir: /w\n    network_mode: none\n    cap_add: [SYS_ADMIN]\n"
        "    volumes:\n      - .:/w\n      - ./tests:/w/tests:ro\n      - /var/run/docker.sock:/var/run/docker.sock\n"
    )
    assert walls(read("compose.yaml", text)) >= {
        ("network", "off", ""), ("mount", "writable", "."), ("mount", "read-only", "tests"),
        ("none", "docker socket", "/var/run/docker.sock"), ("none", "capability SYS_ADMIN", ""),
    }  # fmt: skip


def test_a_development_container_tells_mounts_and_run_arguments() -> None:
    text = (
        '{ // box\n "mounts": ["source=${localEnv:HOME}/.ssh,target=/keys,type=bind,readonly"], "runArgs": '
        '["--network=none", "--cap-add", "NET_ADMIN", "-v", "./tests:/w/tests:ro"], "privileged": true, }'
    )
    assert walls(read(".devcontainer/devcontainer.json", text)) >= {
        ("mount", "read-only", "~/.ssh"), ("network", "off", ""), ("mount", "read-only", "tests"),
        ("none", "privileged", ""), ("none", "capability NET_ADMIN", ""), ("mount", "writable", "."),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (".claude/settings.json", "{", "no JSON"),
        (".claude/settings.json", '{"permissions": {"allow": [1]}}', "/permissions/allow"),
        (".claude/settings.json", '{"permissions": {"allow": ["(x)"]}}', "/permissions/allow/0"),
        (".claude/settings.json", '{"permissions": []}', "/permissions"),
        (".codex/config.toml", "sandbox_mode = 'yolo'", "sandbox_mode"),
        (".codex/config.toml", "a = = 1", "no TOML"),
        ("opencode.json", '{"permission": {"bash": {"*": "perhaps"}}}', "/permission/bash/*"),
        (".vscode/settings.json", '{"chat.tools.terminal.autoApprove": {"ls": 3}}', "neither true nor false"),
        ("compose.yaml", "services: &a {x: *a}", "aliases"),
        ("compose.yaml", "a: [", "no YAML"),
    ],
)
def test_a_faulty_file_gets_one_sentence_with_its_place(name: str, text: str, said: str) -> None:
    with pytest.raises(SyntaxFault) as caught:
        read(name, text)
    assert said in str(caught.value)
    assert name in str(caught.value)
    assert caught.value.hint


def test_comments_are_passed_over_only_outside_quotations() -> None:
    text = '{/* a */ "permission": {"webfetch": {"https://x/*": "allow", "a,]": "deny",},}, // end\n}'
    assert told(read("opencode.json", text)) == ["allow webfetch(https://x/*)", "deny webfetch(a,])"]


def test_other_files_are_claimed_by_no_reader() -> None:
    for name, head in (
        ("package.json", b'{"name": "x", "scripts": {}}'), ("settings.json", b'{"editor.fontSize": 3}'),
        ("config.toml", b"[tool]\n"), ("data.json", b'[{"name": "x"}]'), ("values.yaml", b"a: 1\n"),
    ):  # fmt: skip
        assert kind_of(name, head) is None
    with pytest.raises(UnreadableInput, match="no permission file"):
        read("package.json", "{}")


def test_every_format_is_a_module_with_two_functions() -> None:
    for kind in CATALOG:
        assert callable(reader(kind).sniff)
        assert callable(reader(kind).grant_of)


def test_no_byte_sequence_makes_a_reader_stumble() -> None:
    names = ".claude/settings.json .codex/config.toml opencode.json .mcp.json compose.yaml .vscode/settings.json"
    for name in (*names.split(), ".cursor/cli.json", "devcontainer.json", ".gemini/settings.json"):
        for content in (b"\xff\xfe\x00", b"[1, 2]", b'"x"', b"null", b"{" * 5000, b"[" * 100_000, b'{"mounts": 3}'):
            held = Stored(name=name, size=len(content), load=lambda content=content: content)  # type: ignore[misc]
            try:
                reader(kind_of(name, content) or "claude-code").grant_of(held)
            except SafetyboardError as error:
                assert str(error)
