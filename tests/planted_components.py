# SPDX-License-Identifier: Apache-2.0
"""Code bases with planted models and known reach, made from a seed; and twins that only speak of models."""

import random
from dataclasses import dataclass, field

NAMES = ("billing", "mail", "intake", "ranking", "search", "archive", "export", "triage", "audit", "claims")
PLANTED = {
    "openai": ("import openai\n\nclient = openai.OpenAI()\n", "client.chat(model='gpt-4o')"),
    "anthropic": ("from anthropic import Anthropic as Maker\nasker = Maker()\n", "asker.messages.create(max_tokens=1)"),
    "transformers": ("from transformers import pipeline as p\n\nsorter = p('x', model='x/y')\n", "sorter(text)"),
    "joblib": ("import joblib\n\nclassifier = joblib.load('weights/rank.joblib')\n", "classifier.predict([text])"),
    "torch": ("import torch as t\n\nnetwork = t.hub.load('org/repo', 'net')\n", "network(text)"),
    "cohere": ("import cohere\n\n\ndef connect():\n    return cohere.Client('k')\n", "connect().generate(prompt=text)"),
}  # fmt: skip
ACTS = {
    "program run": "subprocess.run(['convert', found])",
    "database": "cursor.execute('UPDATE t SET x = ?', (found,))",
    "deletion": "shutil.rmtree(found)",
    "money": "stripe.Charge.create(amount=found)",
    "file write": "open(found, 'w').write('x')",
    "message": "smtplib.SMTP('h').sendmail('a', 'b', found)",
}
SPOKEN = '''"""This module once asked gpt-4o through openai at https://api.openai.com/v1/chat/completions."""

# import openai; client = openai.OpenAI()
HELP = "Install anthropic and call claude-3-5-sonnet-20241022 with from anthropic import Anthropic."


def ask(model):
    """Ask the model, as transformers.pipeline would."""
    model = model or "linear"
    if model == "gpt-4o":
        raise ValueError("gpt-4o is not used any more; see https://api.openai.com/v1")
    print("https://api.openai.com/v1", 'client.chat.completions.create(model="gpt-4o")')
    return model
'''


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A code base, the library that is planted in it, the ways in that fall and those that do not."""

    files: dict[str, bytes]
    library: str
    falls: frozenset[str]
    stands: frozenset[str]
    effect: str
    beside: str
    depth: int = field(default=0)


def planted(seed: int) -> Planted:
    """Hide a model some calls below a command, with an act behind it; another command does something else."""
    pick = random.Random(seed)
    library, (effect, beside) = pick.choice(sorted(PLANTED)), pick.sample(sorted(ACTS), 2)
    top, call = PLANTED[library]
    names = pick.sample(NAMES, 6)
    depth = pick.randint(1, 3)
    files = {"app/__init__.py": ""}
    files[f"app/{names[0]}.py"] = f"{top}\n\ndef answer(text):\n    return {call}\n"
    below, function = names[0], "answer"
    for level in range(1, depth):
        text = f"from app import {below}\n\n\ndef step{level}(text):\n    return {below}.{function}(text)\n"
        files[f"app/{names[level]}.py"] = text
        below, function = names[level], f"step{level}"
    imports = "import shutil\nimport smtplib\nimport subprocess\n\nimport stripe\n"
    used = f"from app.{below} import {function} as ask\n"
    files[f"app/{names[3]}.py"] = (
        f"{imports}\n{used}\n\ndef act(found, cursor=None):\n    {ACTS[effect]}\n\n\n"
        f"def main():\n    found = ask('x')\n    act(found)\n"
    )
    files[f"app/{names[4]}.py"] = (
        f"{imports}\n\ndef keep(found, cursor=None):\n    {ACTS[beside]}\n\n\ndef main():\n    keep('y')\n"
    )
    files["pyproject.toml"] = (
        f'[project]\nname = "app"\n[project.scripts]\nfalls = "app.{names[3]}:main"\nstands = "app.{names[4]}:main"\n'
    )
    return Planted(
        files={path: text.encode() for path, text in files.items()}, library=library, falls=frozenset({"falls"}),
        stands=frozenset({"stands"}), effect=effect, beside=beside, depth=depth,
    )  # fmt: skip


def twin(seed: int) -> dict[str, bytes]:
    """Give the same code base where the model is only spoken of."""
    made = planted(seed)
    files = dict(made.files)
    for path, content in files.items():
        if b"def answer" in content:
            files[path] = SPOKEN.encode() + b"\n\ndef answer(text):\n    return text\n"
    files["README.md"] = b"We call `openai` with `model: gpt-4o` at https://api.openai.com/v1.\n"
    files["notes.yaml"] = b"# model: gpt-4o\nmodel: linear\nurl: https://platform.openai.com/docs\n"
    files["web/page.ts"] = b"// import x from 'openai'\nconst help = `import x from 'openai'`;\nlet model = 1;\n"
    return files
