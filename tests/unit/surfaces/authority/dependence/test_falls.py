# SPDX-License-Identifier: Apache-2.0
"""What falls with a model: the functions that use it, the ways in, and the effects behind, each with its place."""

import json
import os
from pathlib import Path

import pytest

from planted_components import planted, twin
from safetyboard.readers.components.inventory import components_of
from safetyboard.surfaces.authority.dependence.falls import Fall, falls, fewest_suppliers, shared_suppliers
from safetyboard.surfaces.authority.dependence.ml_bom import ml_bom

SEEDS = range(40)


def fallen(files: dict[str, str | bytes]) -> dict[str, Fall]:
    held = {path: text if isinstance(text, bytes) else text.encode() for path, text in files.items()}
    return {each.component: each for each in falls(held, components_of(held))}


@pytest.mark.idea("B42")
@pytest.mark.parametrize("seed", SEEDS)
def test_a_planted_model_fells_the_way_in_above_it_and_no_other(seed: int) -> None:
    made = planted(seed)
    fall = fallen(dict(made.files))[made.library]
    assert {each.name for each in fall.entry_points} == made.falls
    kinds = {each.kind for each in fall.effects}
    assert made.effect in kinds
    assert made.beside not in kinds
    assert fall.path[-1].node == fall.effects[0].kind
    assert all(step.line and step.file in made.files for step in fall.path)


def test_a_twin_that_only_speaks_of_models_fells_nothing() -> None:
    assert [falls(twin(seed), components_of(twin(seed))) for seed in SEEDS] == [()] * len(SEEDS)


@pytest.mark.parametrize(
    ("kind", "files"),
    [
        ("web route", {"w.py": "from m import ask\n\n@app.post('/x')\ndef view():\n    return ask()\n"}),
        ("web route", {"views.py": "from m import ask\ndef v(r):\n    return ask()\n",
                       "urls.py": "import views\nurlpatterns = [path('x', views.v)]\n"}),
        ("task", {"t.py": "import m\n@shared_task\ndef job():\n    m.ask()\n"}),
        ("script", {"s.py": "import m\nif __name__ == '__main__':\n    m.ask()\n"}),
        ("CI job", {"s.py": "import m\nm.ask()\n", ".github/workflows/a.yml": "jobs:\n  - run: python s.py\n"}),
        ("schedule", {"s.py": "import m\nm.ask()\n", "crontab": "0 3 * * * python3 /srv/s.py\n"}),
        ("container", {"s.py": "import m\nm.ask()\n", "Dockerfile": 'FROM x\nCMD ["python", "s.py"]\n'}),
        ("handler", {"h.py": "import m\ndef lambda_handler(e, c):\n    return m.ask()\n"}),
    ],
)  # fmt: skip
def test_every_kind_of_way_in_is_seen(kind: str, files: dict[str, str]) -> None:
    model = "import openai\nc = openai.OpenAI()\ndef ask():\n    return c.chat()\n"
    assert kind in {each.kind for each in fallen({"m.py": model, **files})["openai"].entry_points}


def test_methods_callbacks_and_inherited_methods_are_followed() -> None:
    files = {
        "m.py": "import openai\nclass Asker:\n    def __init__(self):\n        self.c = openai.OpenAI()\n"
        "    def ask(self):\n        return self.c.chat()\n",
        "n.py": "from m import Asker\nclass Wide(Asker):\n    def both(self):\n        return self.ask()\n",
        "o.py": "import os\nfrom n import Wide\ndef run(f):\n    os.system(f())\ndef main():\n    run(Wide().both)\n"
        "if __name__ == '__main__':\n    main()\n",
    }
    fall = fallen(files)["openai"]
    assert {"m:Asker.ask", "n:Wide.both", "o:main"} <= set(fall.functions)
    assert [each.kind for each in fall.effects] == ["program run"]


def test_methods_that_everyday_objects_have_are_not_followed_to_whoever_has_one_too() -> None:
    files = {
        "book.py": "import os\nclass Book:\n    def add(self, x):\n        os.system(x)\n",
        "m.py": "import openai\nimport book\ndef ask(seen):\n    seen.add(openai.chat())\n",
    }
    fall = fallen(files)["openai"]
    assert (fall.effects, fall.functions) == ((), ("m:ask",))
    assert fall.unknown == 1


def test_weights_fell_whoever_names_their_file() -> None:
    files: dict[str, str | bytes] = {
        "w/rank.onnx": b"\x08\x01", "a.py": "def load():\n    return Session('w/rank.onnx')\n",
        "b.py": "from a import load\ndef is_allowed(u):\n    return load().run(u)\n",
    }  # fmt: skip
    fall = fallen(files)["w/rank.onnx"]
    assert set(fall.functions) == {"a:load", "b:is_allowed"}
    assert [each.kind for each in fall.effects] == ["permission"]


def test_calls_that_only_running_would_tell_are_counted() -> None:
    files = {"m.py": "import openai\ndef ask(x):\n    getattr(x, 'y')()\n    return openai.OpenAI()\n"}
    assert fallen(files)["openai"].unknown >= 1


def test_a_supplier_shared_by_several_ways_in_is_a_single_point() -> None:
    files = {
        "a.py": "import openai\n@app.get('/a')\ndef one():\n    return openai.chat()\n",
        "b.py": "MODEL = 'gpt-4o'\n@app.get('/b')\ndef two():\n    return MODEL\n",
        "c.py": "import cohere\n@app.get('/c')\ndef three():\n    return cohere.Client()\n",
    }
    shared = shared_suppliers(tuple(fallen(files).values()))
    assert [(each.supplier, len(each.entry_points)) for each in shared] == [("OpenAI", 2), ("Cohere", 1)]
    assert fewest_suppliers(shared) == ("OpenAI", "Cohere")


def test_a_bill_of_materials_holds_every_component_and_is_the_same_each_time() -> None:
    files = {**planted(1).files, "m.gguf": b"GGUF", "Dockerfile": b"FROM ollama/ollama:1\n",
             "k.yaml": b"model: gpt-4o\n",
             ".mcp.json": b'{"mcpServers": {"s": {"command": "x"}}}', "requirements.txt": b"openai==1.0\n"}  # fmt: skip
    inventory = components_of(files)
    made = json.loads(ml_bom(inventory))
    assert ml_bom(inventory) == ml_bom(components_of(dict(reversed(files.items()))))
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    named = {each["name"] for each in made["components"] + made["services"]}
    assert named == {each.name for each in inventory.components}
    places = sum(len(each["evidence"]["occurrences"]) for each in made["components"])
    assert places + len(list(inventory.of_kind("server", "endpoint"))) == len(inventory.components)
    references = [each["bom-ref"] for each in made["components"] + made["services"]]
    assert len(set(references)) == len(references)


def test_the_bill_of_materials_fits_the_published_schema() -> None:
    folder = os.environ.get("SAFETYBOARD_CYCLONEDX")
    if not folder:
        pytest.skip("SAFETYBOARD_CYCLONEDX names no folder with bom-1.6.schema.json and what it refers to")
    jsonschema = pytest.importorskip("jsonschema")
    referencing = pytest.importorskip("referencing")
    loaded = [json.loads(file.read_text("utf-8")) for file in sorted(Path(folder).glob("*.json"))]
    registry = referencing.Registry().with_resources(
        [(each["$id"], referencing.Resource.from_contents(each)) for each in loaded if "$id" in each]
    )
    [schema] = [each for each in loaded if each.get("$id", "").endswith("bom-1.6.schema.json")]
    lock = b'{"packages": {"node_modules/openai": {"version": "4.0.0", "integrity": "sha512-AAAA"}}}'
    files = {**planted(1).files, "m.gguf": b"GGUF", ".mcp.json": b'{"mcpServers": {"s": {"command": "x"}}}',
             "package-lock.json": lock, "k.yaml": b"url: https://api.openai.com/v1\n"}  # fmt: skip
    made = json.loads(ml_bom(components_of(files)))
    jsonschema.Draft7Validator(schema, registry=registry).validate(made)
    assert list(jsonschema.Draft7Validator(schema, registry=registry).iter_errors({**made, "components": [{}]}))
