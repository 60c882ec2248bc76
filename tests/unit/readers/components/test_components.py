# SPDX-License-Identifier: Apache-2.0
"""Models are found where a code base holds, names or calls them, and nowhere that only speaks of them."""

import pickle
from pathlib import Path

import pytest

from planted_components import planted, twin
from safetyboard.readers.components.component import Inventory
from safetyboard.readers.components.inventory import components_of
from safetyboard.stats.binomial import clopper_pearson

SEEDS = range(60)


def found(path: str, text: str | bytes) -> list[tuple[str, str, bool | None]]:
    content = text if isinstance(text, bytes) else text.encode()
    return [(each.kind, each.name, each.pinned) for each in components_of({path: content}).components]


def kinds(path: str, text: str | bytes) -> set[tuple[str, str]]:
    return {(kind, name) for kind, name, _ in found(path, text)}


@pytest.mark.idea("B42")
def test_planted_models_are_found_and_twins_that_only_speak_of_them_give_nothing() -> None:
    made = [planted(seed) for seed in SEEDS]
    hits = sum(
        any(each.name == one.library and each.kind == "call" for each in components_of(one.files).components)
        for one in made
    )
    alarms = {seed: components_of(twin(seed)).components for seed in SEEDS}
    assert hits == len(SEEDS)
    assert clopper_pearson(hits, len(SEEDS))[0] > 0.93
    assert {seed: each for seed, each in alarms.items() if each} == {}


def test_an_inventory_that_finds_nothing_would_fail_the_needles() -> None:
    empty = Inventory(components=(), faults={}, read=0, met=0)
    assert not any(each.name == planted(0).library for each in empty.components)
    assert components_of(planted(0).files).components


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from openai import OpenAI\nx = OpenAI()\n", {("library", "openai"), ("call", "openai")}),
        ("import google.generativeai as g\ng.GenerativeModel('gemini-1.5-pro')\n",
         {("library", "google.generativeai"), ("call", "google.generativeai")}),
        ("class A:\n    def __init__(self):\n        import anthropic\n        self.c = anthropic.Anthropic()\n"
         "    def f(self):\n        return self.c.messages.create(model='claude-3-5-sonnet-20241022')\n",
         {("library", "anthropic"), ("call", "anthropic"), ("model", "claude-3-5-sonnet-20241022")}),
        ("MODEL = os.environ.get('M', 'gpt-4o')\n", {("model", "gpt-4o")}),
        ("def f(model='gpt-4o-mini'): ...\n", {("model", "gpt-4o-mini")}),
        ("C = {'model_name': 'mistral-large-latest'}\n", {("model", "mistral-large-latest")}),
        ("import pickle\nm = pickle.load(open('model.pkl', 'rb'))\n", {("call", "pickle")}),
        ("import pickle\nm = pickle.load(cache)\n", set()),
        ("import joblib\nself.clf = joblib.load(path)\n", {("call", "joblib")}),
        ("import cohere\ndef f():\n    c = A()\n    c.ask()\n    c = cohere.Client()\n    return c.chat()\n"
         "def g(c):\n    return c.run()\n", {("library", "cohere"), ("call", "cohere")}),
        ("import torch\nx = torch.zeros(3)\n", {("library", "torch")}),
        ("import boto3\nb = boto3.client('bedrock-runtime')\n", {("call", "boto3")}),
        ("import boto3\nb = boto3.client('s3')\n", set()),
        ("import requests\nrequests.post('https://api.openai.com/v1/chat/completions', json={})\n",
         {("endpoint", "api.openai.com")}),
        ("requests.post(f'https://api.openai.com/v1/{x}')\n", {("endpoint", "api.openai.com")}),
        ("try:\n    pass\nexcept openai.OpenAIError:\n    pass\n", set()),
    ],
)  # fmt: skip
def test_python_is_read_by_its_structure(text: str, expected: set[tuple[str, str]]) -> None:
    assert kinds("a.py", text) == expected


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a.ts", 'import OpenAI from "openai";\nconst r = await c.create({ model: "gpt-4o" });\n',
         {("library", "openai"), ("model", "gpt-4o")}),
        ("a.js", "const { Anthropic } = require('@anthropic-ai/sdk')\n", {("library", "@anthropic-ai/sdk")}),
        ("a.js", "fetch('https://api.anthropic.com/v1/messages', {})\n", {("endpoint", "api.anthropic.com")}),
        ("a.js", "/* import x from 'openai' */ console.log('https://api.openai.com/v1')\n", set()),
        ("a.go", 'import (\n\topenai "github.com/sashabaranov/go-openai"\n)\n',
         {("library", "github.com/sashabaranov/go-openai")}),
        ("a.go", '// "github.com/sashabaranov/go-openai"\n', set()),
        ("a.rs", "use async_openai::Client;\n", {("library", "async_openai")}),
        ("a.rs", "fn f<'a>(x: &'a str) {}\nuse ort::Session; // it's\n", {("library", "ort")}),
        ("c.yaml", "llm:\n  model: gpt-4o-2024-08-06\n  url: https://api.groq.com/v1\n",
         {("model", "gpt-4o-2024-08-06"), ("endpoint", "api.groq.com")}),
        ("c.yaml", "model: resnet\n# model: gpt-4o\n", set()),
        (".env", "OPENAI_MODEL=gpt-4o\n", {("model", "gpt-4o")}),
        (".github/workflows/r.yml", "jobs:\n  a:\n    steps:\n      - uses: anthropics/claude-code-action@v1\n"
         "      - run: claude -p 'review'\n", {("action", "anthropics/claude-code-action"), ("program", "claude")}),
        ("Dockerfile", "FROM ollama/ollama:latest\nRUN ollama pull llama3.1\n",
         {("image", "ollama/ollama"), ("program", "ollama")}),
        ("docker-compose.yml", "services:\n  a:\n    image: vllm/vllm-openai:v0.6\n", {("image", "vllm/vllm-openai")}),
        (".mcp.json", '{"mcpServers": {"files": {"command": "npx", "args": ["-y", "server-files"]}}}',
         {("server", "files")}),
        ("requirements.txt", "openai==1.2.3\n# anthropic\nrequests\nscikit_learn>=1\n",
         {("dependency", "openai"), ("dependency", "scikit-learn")}),
        ("pyproject.toml", '[project]\ndependencies = ["torch>=2", "click"]\n', {("dependency", "torch")}),
        ("setup.py", "setup(install_requires=['transformers>=4', 'x'], description='openai')\n",
         {("dependency", "transformers")}),
        ("package.json", '{"dependencies": {"openai": "^4.0.0", "left-pad": "1.0.0"}}', {("dependency", "openai")}),
        ("uv.lock", '[[package]]\nname = "openai"\nversion = "1.2.3"\n', {("dependency", "openai")}),
        ("go.mod", "module x\nrequire (\n\tgithub.com/ollama/ollama/api v0.1.0\n)\n",
         {("dependency", "github.com/ollama/ollama/api")}),
        ("Cargo.toml", '[dependencies]\nasync-openai = "0.2"\n', {("dependency", "async-openai")}),
    ],
)  # fmt: skip
def test_other_languages_and_settings_are_read(path: str, text: str, expected: set[tuple[str, str]]) -> None:
    assert kinds(path, text) == expected


@pytest.mark.parametrize(
    ("path", "text", "pinned"),
    [
        ("a.yaml", "model: gpt-4o\n", False), ("a.yaml", "model: gpt-4o-2024-08-06\n", True),
        ("a.yaml", "model: claude-3-5-sonnet-latest\n", False),
        ("requirements.txt", "openai==1.2.3\n", True), ("requirements.txt", "openai>=1\n", False),
        ("requirements.txt", "openai\n", False), ("package.json", '{"dependencies": {"openai": "4.0.0"}}', True),
        ("Dockerfile", "FROM ollama/ollama:1.0\n", False),
        ("Dockerfile", "FROM ollama/ollama@sha256:" + "a" * 64 + "\n", True),
        ("x/.github/workflows/a.yml", "- uses: openai/codex-action@" + "a" * 40 + "\n", True),
    ],
)  # fmt: skip
def test_what_can_change_without_a_change_here_is_told_from_what_is_fixed(path: str, text: str, pinned: bool) -> None:
    assert [each[2] for each in found(path, text)] == [pinned]


class Bomb:
    """Whoever unpickles this writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (self.path,))  # type: ignore[return-value]


def test_weights_are_told_by_their_bytes_and_a_pickle_is_never_opened(tmp_path: Path) -> None:
    files = {
        "m.gguf": b"GGUF\x03", "m.safetensors": (2).to_bytes(8, "little") + b"{}", "m.tflite": b"\x00\x00\x00\x00TFL3",
        "m.pkl": pickle.dumps(Bomb(tmp_path / "opened")), "m.pt": b"PK\x03\x04",
        "lang.pt": b"ola mundo", "empty.onnx": b"", "words.pkl": b"just text",
        "big.onnx": b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 9\n",
    }  # fmt: skip
    held = {each.name: each for each in components_of(files).components}
    assert set(held) == {"m.gguf", "m.safetensors", "m.tflite", "m.pkl", "m.pt", "big.onnx"}
    assert {name for name, each in held.items() if each.warning} == {"m.pkl", "m.pt"}
    assert held["big.onnx"].digest == "sha256:" + "a" * 64
    assert not (tmp_path / "opened").exists()


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_read() -> None:
    files = {"a.py": b"print 'old'", "b.py": b"import openai\n", "n.ipynb": b"{}", "deep.py": b"(" * 5000,
             "pyproject.toml": b"[", "zero.py": b"x = '\x00'", "p.json": b"[" * 9999}  # fmt: skip
    made = components_of(files)
    assert set(made.faults) == {"a.py", "n.ipynb", "deep.py", "pyproject.toml", "zero.py"}
    assert [each.name for each in made.components] == ["openai"]
    assert (made.read, made.met) == (2, 7)


def test_packages_of_the_code_base_itself_are_no_supplier() -> None:
    files = {"sklearn/__init__.py": b"", "sklearn/a.py": b"from sklearn import b\n", "sklearn/b.py": b""}
    assert components_of(files).components == ()


def test_a_name_holds_a_model_only_where_it_was_given_one() -> None:
    text = "import pickle\ndef f():\n    c = A()\n    c.fit()\n    c = pickle.loads(model)\n    c.use()\n"
    files = {"a.py": f"{text}def g(c):\n    c.no()\n".encode()}
    assert [each.line for each in components_of(files).components] == [5, 6]


def test_every_place_is_quoted_with_its_line() -> None:
    [library, call, *_] = components_of({"a.py": b"x = 1\nimport openai\ny = openai.OpenAI()\n"}).components
    assert (library.line, library.quotation) == (2, "import openai")
    assert (call.line, call.quotation, call.origin) == (3, "y = openai.OpenAI()", "openai.OpenAI")
