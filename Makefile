# Two commands do all their own set-up on a fresh machine: `make demo` and `make test`. A second run starts at once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
# The same versions everywhere, those of the isolated build environment too.
export PIP_CONSTRAINT := constraints.txt
export PIP_BUILD_CONSTRAINT := constraints.txt
# Two single-threaded workers beat one with two threads, and sums come out in one order.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1

.PHONY: demo test check bench docs images checker clean
.DELETE_ON_ERROR:

$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or later is needed; say which one it is: make PYTHON=python3.12 ..." >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { \
	  echo "This Python has no ensurepip; using its own pip to furnish the virtual environment."; \
	  rm -rf $(VENV); $(PYTHON) -m venv --without-pip $(VENV) && \
	  $(PYTHON) -m pip --python $(BIN)/python install -q pip; }
	@touch $@

$(VENV)/demo-installed: $(VENV)/made pyproject.toml constraints.txt
	$(PIP) install -e '.[networks,records]'
	@touch $@

$(VENV)/dev-installed: $(VENV)/demo-installed
	$(PIP) install -e '.[networks,records,examples,dev]'
	@touch $@

# The main job on real input, twice: a network, and what an agent left behind. Both fail, so both investigations must end
# with 1 (refuted), the lesson must find a second repository affected (1) and a third one not (0), and nothing else will do.
demo: $(VENV)/demo-installed $(VENV)/sandbox-sought
	@$(BIN)/safetyboard investigate examples/tumour --out demo-out/network --replace; code=$$?; \
	  if [ $$code -ne 1 ]; then echo "The demonstration ended with $$code; 1 (refuted) was expected." >&2; exit 1; fi
	@$(BIN)/python -m safetyboard_check demo-out/network --key "$$($(BIN)/safetyboard keygen --fingerprint)"
	@$(BIN)/safetyboard investigate examples/repair_agent/history --out demo-out/agent --replace; code=$$?; \
	  if [ $$code -eq 3 ]; then echo "No sandbox works here, so nothing was run again: safetyboard doctor says why."; exit 0; fi; \
	  if [ $$code -ne 1 ]; then echo "The demonstration ended with $$code; 1 (refuted) was expected." >&2; exit 1; fi; \
	  $(BIN)/python -m safetyboard_check demo-out/agent --key "$$($(BIN)/safetyboard keygen --fingerprint)" || exit 1; \
	  echo; echo "The lesson it left for repositories, put to a second repository and to a third:"; \
	  $(BIN)/safetyboard gate examples/repair_agent/second_repository --lessons demo-out/agent/lessons/judged-files-out-of-reach.json; \
	  if [ $$? -ne 1 ]; then echo "1 (affected) was expected." >&2; exit 1; fi; \
	  $(BIN)/safetyboard gate examples/repair_agent/third_repository --lessons demo-out/agent/lessons/judged-files-out-of-reach.json; \
	  if [ $$? -ne 0 ]; then echo "0 (not affected) was expected." >&2; exit 1; fi
	@echo "Open demo-out/network/report.html and demo-out/agent/report.html in a browser."

test: $(VENV)/dev-installed $(VENV)/browser-sought $(VENV)/sandbox-sought
	@mkdir -p build
	$(BIN)/python -m pytest -n 2 --dist loadfile --idea-report=build/ideas.json \
	  --cov --cov-config=pyproject.toml --cov-report=term:skip-covered $(PYTEST)

check: $(VENV)/dev-installed
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m ruff check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/generate.py --check

docs: $(VENV)/dev-installed
	$(BIN)/python tools/generate.py

# The pictures of the documents, from a fresh run of the demonstration; needs chromium.
images: $(VENV)/dev-installed
	$(BIN)/python tools/screenshots.py

bench: $(VENV)/dev-installed
	$(BIN)/python bench/acasxu.py
	$(BIN)/python bench/relu_split.py
	$(BIN)/python bench/evidence.py
	$(BIN)/python bench/records.py
	$(BIN)/python bench/records_inspect.py
	$(BIN)/python bench/redaction.py
	$(BIN)/python bench/screening.py
	$(BIN)/python bench/chains.py
	$(BIN)/python bench/judges.py
	$(BIN)/python bench/replay.py
	$(BIN)/python bench/lesson_gate.py
	$(BIN)/python bench/resample.py
	$(BIN)/python bench/tables.py

# The one-file checker, for people who do not want to install anything: build/safetyboard_check.pyz
checker: $(VENV)/made
	$(BIN)/python tools/build_checker.py build/safetyboard_check.pyz

# A browser for the test that looks at the report: taken from Debian where root is at hand, else that test skips.
$(VENV)/browser-sought: $(VENV)/made
	@command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; } || exit 0; \
	  command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 || { \
	  echo "Fetching chromium for the report test."; apt-get -qq update >/dev/null 2>&1; \
	  DEBIAN_FRONTEND=noninteractive timeout 600 apt-get install -y -qq chromium >/dev/null 2>&1 || \
	  echo "chromium could not be installed; the report test will say so."; }
	@touch $@

# Bubblewrap, one of the two ways into the sandbox: from Debian where root is at hand, else unshare alone is used and tested.
$(VENV)/sandbox-sought: $(VENV)/made
	@command -v bwrap >/dev/null 2>&1 || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; } || exit 0; \
	  command -v bwrap >/dev/null 2>&1 || { \
	  echo "Fetching bubblewrap for the sandbox."; apt-get -qq update >/dev/null 2>&1; \
	  DEBIAN_FRONTEND=noninteractive timeout 300 apt-get install -y -qq bubblewrap >/dev/null 2>&1 || \
	  echo "bubblewrap could not be installed; the tests of that way will say so."; }
	@touch $@

clean:
	rm -rf $(VENV) build demo-out
