# SPDX-License-Identifier: Apache-2.0
"""What an act holds in other forms than its own words, and what a script does that the agent wrote before it ran it."""

import posixpath
import re
import shlex
from collections.abc import MutableMapping

from safetyboard.overseers.effects.effect import Effect
from safetyboard.overseers.effects.programs import shell_effects
from safetyboard.overseers.effects.tools import act_effects, code_effects, code_of, command_of
from safetyboard.overseers.effects.unfolding import deferred_lines, lines_in, program_lines
from safetyboard.terms.episode import Step

_CONTENTS = ("content", "file_text", "contents", "text", "new_string", "new_str")
_PATHS = ("file_path", "path", "filename", "file", "notebook_path", "target_file")
_HERE = re.compile(
    r">\s*([\w./~-]+)\s*<<-?\s*['\"]?(\w+)['\"]?[^\n]*\n(.*?)\n\2\b|<<-?\s*['\"]?(\w+)['\"]?\s*>\s*([\w./~-]+)\n(.*?)\n\4\b",
    re.S,
)
LARGEST, MOST = 20_000, 200


def unfolded(step: Step, scripts: MutableMapping[str, str]) -> tuple[tuple[str, ...], tuple[Effect, ...]]:
    """List the shell lines that an act holds, plain, and all its effects; files it writes are kept in `scripts`.

    Running a script that the agent wrote earlier in the same record does what the script says; others stay unseen.
    """
    arguments = step.arguments
    command = command_of(step.tool, arguments)
    if isinstance(command, list):
        command = shlex.join(each for each in command if isinstance(each, str))
    command = command if isinstance(command, str) else ""
    code = code_of(arguments)
    written = _written(step, command)
    effects = list(act_effects(step.tool, arguments))
    lines = list(lines_in(command, code, written))
    for each in [*effects]:
        if each.kind == "execute" and (content := scripts.get(posixpath.basename(each.target))) is not None:
            python = each.target.endswith(".py")
            effects += code_effects(content) if python else shell_effects(content)
            lines += [content, *(program_lines(content) if python else deferred_lines(each.target, content))]
    if len(scripts) < MOST:
        scripts.update({posixpath.basename(path): text for path, text in written.items() if len(text) <= LARGEST})
    if code and "notebook_path" in arguments:
        scripts["run_all"] = code
    return tuple(dict.fromkeys(lines)), tuple(dict.fromkeys(effects))


def _written(step: Step, command: str) -> dict[str, str]:
    found = {}
    path = next((step.arguments[key] for key in _PATHS if isinstance(step.arguments.get(key), str)), "")
    text = next((step.arguments[key] for key in _CONTENTS if isinstance(step.arguments.get(key), str)), "")
    if path and text:
        found[str(path)] = str(text)
    if "<<" in command and len(command) <= LARGEST:
        for each in _HERE.finditer(command):
            found[each[1] or each[5]] = each[3] if each[1] else each[6]
    return found
