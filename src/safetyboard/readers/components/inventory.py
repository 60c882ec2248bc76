# SPDX-License-Identifier: Apache-2.0
"""All files of a code base, each to the reader that knows it; a file that cannot be read is named."""

from collections.abc import Iterator, Mapping

from safetyboard.readers.components import other_source, settings
from safetyboard.readers.components.component import Component, Inventory
from safetyboard.readers.components.manifests import manifest_reader
from safetyboard.readers.components.python_names import module_names
from safetyboard.readers.components.python_source import python_components
from safetyboard.readers.components.weights import weights_component
from safetyboard.terms.errors import SafetyboardError

LARGEST_SOURCE = 4 << 20
_NOT_READ = {".ipynb": "notebooks are not read", ".java": "Java is not read", ".rb": "Ruby is not read",
             ".cs": "C# is not read", ".php": "PHP is not read", ".kt": "Kotlin is not read",
             ".swift": "Swift is not read", ".cpp": "C++ is not read", ".cc": "C++ is not read"}  # fmt: skip


def components_of(files: Mapping[str, bytes]) -> Inventory:
    """List every place in a code base that holds, names or calls a model.

    Calls that are put together while the program runs are not seen, nor are models behind a host or library that no
    table lists; comments, documentation and messages do not count.

    Args:    files: path -> bytes, with forward slashes.
    """
    modules = module_names(list(files))
    own = frozenset(name.split(".")[0] for name in modules.values())
    found, faults, read = list[Component](), dict[str, str](), 0
    for path in sorted(files):
        content = files[path]
        try:
            met = list(_in_file(path, content, modules, own, faults))
        except SafetyboardError as error:
            faults[path] = error.message
            continue
        read += path not in faults
        found += met
    return Inventory(components=tuple(found), faults=faults, read=read, met=len(files))


def _in_file(
    path: str, content: bytes, modules: Mapping[str, str], own: frozenset[str], faults: dict[str, str]
) -> Iterator[Component]:
    weights = weights_component(path, content)
    if weights is not None:
        yield weights
        return
    suffix = "." + path.rpartition(".")[2]
    if suffix in _NOT_READ:
        faults[path] = _NOT_READ[suffix]
        return
    manifest = manifest_reader(path)
    text = path.endswith((".py", *other_source.LANGUAGES)) or manifest is not None or settings.is_settings(path)
    if text and len(content) > LARGEST_SOURCE:
        faults[path] = f"{len(content)} bytes, more than {LARGEST_SOURCE}"
        return
    if path.endswith(".py"):
        yield from python_components(path, content, modules[path], own)
    elif path.endswith(other_source.LANGUAGES):
        yield from other_source.source_components(path, content)
    if manifest is not None:
        yield from manifest(path, content)
    elif settings.is_settings(path) and len(content) > settings.largest(path):
        faults[path] = f"{len(content)} bytes, more than settings have ({settings.largest(path)})"
    elif settings.is_settings(path):
        yield from settings.settings_components(path, content)
