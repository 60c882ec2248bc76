# Two commands do all the set-up on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1

.PHONY: demo test check bench docs clean

$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or later is needed; say which one: make PYTHON=python3.12 ..."; exit 2; }
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/demo-installed: $(VENV)/made pyproject.toml constraints.txt
	$(PIP) install -c constraints.txt -e '.[networks]'
	touch $@

$(VENV)/dev-installed: $(VENV)/demo-installed
	$(PIP) install -c constraints.txt -e '.[networks,examples,dev]'
	touch $@

# The main job on real input. The network does fail, so the command must end with 1 (refuted), and with nothing else.
demo: $(VENV)/demo-installed
	@$(BIN)/safetyboard investigate examples/tumour --out demo-out --replace; code=$$?; \
	  if [ $$code -ne 1 ]; then echo "The demonstration ended with $$code; 1 (refuted) was expected."; exit 1; fi
	@$(BIN)/python -m safetyboard_check demo-out --key "$$($(BIN)/safetyboard keygen --fingerprint)"
	@echo "Open demo-out/report.html in a browser."

test: $(VENV)/dev-installed
	$(BIN)/python -m pytest -n 2 --dist loadfile --idea-report build/ideas.json \
	  --cov --cov-config=pyproject.toml --cov-report=term:skip-covered $(PYTEST)

check: $(VENV)/dev-installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/generate.py --check

docs: $(VENV)/dev-installed
	$(BIN)/python tools/generate.py

bench: $(VENV)/dev-installed
	$(BIN)/python bench/acasxu.py
	$(BIN)/python bench/evidence.py
	$(BIN)/python bench/tables.py

clean:
	rm -rf $(VENV) build demo-out
