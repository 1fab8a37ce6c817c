# Each target sets itself up: the first one makes .venv and installs slicenet into it.
#
#   make demo                        phantoms, training, scores, a table and a picture
#   make test                        every test, with coverage
#   make bad-inputs                  the list of bad inputs and faults, item by item
#   make fuzz                        10 000 examples of what strangers may send
#   make docs                        a site of all documentation, in build/docs
#   make model                       the embedded model again, from IXI in ../shared/data/ixi-hh
#   make demo PYTHON=python3.12      with another Python (3.11 or later)
#
# On Linux the package index's torch brings several GB of CUDA. For the CPU alone:
#   PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make demo

PYTHON ?= python3
WORKERS ?= 2
KILLS ?= 25
IXI ?= ../shared/data/ixi-hh
BIN := .venv/bin
INSTALLED := .venv/.installed
TOOLS := .venv/tools/bin
PAGES := $(patsubst notebooks/%.ipynb,docs/notebooks/%.md,$(wildcard notebooks/*.ipynb))
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test lint types bench docs notebooks model faults kills bad-inputs fuzz soak audit lock build clean

demo: $(INSTALLED)
	$(BIN)/slicenet demo

test: $(INSTALLED)
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder --cov --cov-report=term

bad-inputs: $(INSTALLED)
	@$(BIN)/python -m tests.bad_inputs

# Minutes. On the reader, benchmarks/fuzz_coverage.py is for a night.
fuzz: $(INSTALLED)
	@OMP_NUM_THREADS=1 $(BIN)/python benchmarks/fuzz.py

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED)
	$(BIN)/mypy

bench: $(INSTALLED)
	$(BIN)/slicenet bench

# A disk that fails at each of its operations in turn: half an hour.
faults: $(INSTALLED)
	$(BIN)/python benchmarks/faults.py

# Memory and open files over 2 000 volumes: half an hour.
soak: $(INSTALLED)
	$(BIN)/python benchmarks/soak.py

# Known weaknesses of what we rest on; needs the network. What could not be looked up fails too.
audit: $(TOOLS)/pip-audit
	$(TOOLS)/pip-audit --strict --require-hashes --disable-pip --requirement requirements.lock

lock: $(TOOLS)/uv
	$(TOOLS)/uv pip compile setup.cfg --extra dev --constraint constraints.txt --quiet --upgrade \
	    --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --custom-compile-command "make lock" --output-file requirements.lock

# A site of docs/, in build/docs. Offline; every warning and every link that leads nowhere fails.
docs: $(INSTALLED)
	rm -rf build/docs
	$(BIN)/python -m sphinx -W --keep-going -q -d build/doctrees docs build/docs
	$(BIN)/python docs/builder/links.py build/docs

# Each notebook in its larger setting, on one thread: 40 minutes. A page newer than its notebook
# stays as it is.
notebooks: $(PAGES)

# Stopped, the same command goes on where it was.
model: $(INSTALLED)
	$(BIN)/slicenet train $(IXI) --backend t1-ixi --split slicenet/embedded/split.tsv --out model
	cp model/model.safetensors slicenet/embedded/t1-ixi.safetensors

# Each backend that learns, ended by kill -9 at KILLS random moments, those in the results included:
# half an hour for 25.
kills: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/kills.py run --times $(KILLS)

build: $(INSTALLED)
	$(BIN)/python -m build --no-isolation

clean:
	rm -rf .venv build dist kills-work *.egg-info .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

docs/notebooks/%.md: notebooks/%.ipynb | $(INSTALLED)
	rm -rf docs/notebooks/$*_files
	OMP_NUM_THREADS=1 SLICENET_NOTEBOOKS=full PYTHONWARNINGS='ignore:IProgress not found' \
	    $(BIN)/python -m nbconvert --execute --to markdown --config docs/nbconvert.json \
	    --output-dir docs/notebooks $<

# Apart from what slicenet runs in, whose versions they would change.
$(TOOLS)/%:
	@$(PYTHON) -m venv .venv/tools
	@$(TOOLS)/python -m pip install -qq --disable-pip-version-check $*

$(INSTALLED): setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "slicenet needs Python 3.11 or later; name one with: make PYTHON=python3.11"; exit 1; }
	@echo "[1/3] a virtual environment in .venv"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }
	@echo "[2/3] torch and torchvision, the largest part"
	@$(PIP) torch torchvision
	@echo "[3/3] slicenet and the tools that test it"
	@$(PIP) --editable '.[dev]'
	@touch $@
