# SPDX-License-Identifier: Apache-2.0
"""Effects of program text in JavaScript, Ruby, Perl, PHP, PowerShell and Go, told by the calls it writes out."""

import re

from safetyboard.overseers.effects.effect import Effect
from safetyboard.overseers.effects.files import deletion, reads, writing
from safetyboard.overseers.effects.network import sending

_TEXT = r"""\s*\(?\s*\(?(?:\[?\s*)["'`]([^"'`\n]{1,400})["'`]"""
_DELETES = re.compile(
    r"\b(?:fs(?:\.promises)?\.(?:rm|rmdir|unlink)(?:Sync)?|rimraf(?:\.sync)?|fileutils\.(?:rm_rf|rm_r|rm|remove_dir)"
    r"|file\.(?:delete|unlink)|dir\.(?:delete|rmdir)|rmtree|remove_tree|os\.removeall|unlink|std::fs::remove\w*"
    r"|remove-item[^\n'\"]{0,40}?)" + _TEXT,
    re.I,
)
_WRITES = re.compile(
    r"\b(?:fs(?:\.promises)?\.(?:writefile|appendfile)(?:sync)?|file\.write|file_put_contents|os\.writefile"
    r"|deno\.writetextfile|ioutil\.writefile|set-content|out-file[^\n'\"]{0,30}?)" + _TEXT,
    re.I,
)
_READS = re.compile(
    r"(?:readfile(?:sync)?|file\.read|file_get_contents|os\.readfile|readtextfile|get-content)" + _TEXT, re.I
)
_SENDS = re.compile(
    r"\b(?:fetch|axios(?:\.(?:post|put|request))?|http\.post\w*|net::http\.(?:post|put)\w*|https?\.request"
    r"|->post|\$\.post|file_get_contents|got\.post|curl_exec|invoke-(?:restmethod|webrequest))"
    r"[^\n]{0,30}?(https?://[^\s\"'`)]{3,300})",
    re.I,
)
_CARRIES = re.compile(r"\bpost\b|\bput\b|\bbody\b|content\b|infile|-method", re.I)


def foreign_effects(text: str) -> list[Effect]:
    """List the effects that calls written out in the text have; what is put together at run time is not seen."""
    found = [deletion(each, recursive=True) for each in _DELETES.findall(text)]
    found += [writing(each) for each in _WRITES.findall(text)]
    read = _READS.findall(text)
    for each in read:
        if "://" not in each:
            found += reads(each)
    for each in _SENDS.finditer(text):
        if _CARRIES.search(text):
            found.append(sending(each[1], *read))
    return found
