# Two commands on a fresh machine: `make report` and `make test`.
# Everything that is installed, cached or run stays inside this folder.
python ?= python3
here := $(CURDIR)
bin := .venv/bin
installed := .venv/installed

export PIP_CACHE_DIR := $(here)/.cache/pip
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export TMPDIR := $(here)/.cache/tmp
export IPYTHONDIR := $(here)/.cache/ipython
export JUPYTER_CONFIG_DIR := $(here)/.cache/jupyter/config
export JUPYTER_DATA_DIR := $(here)/.cache/jupyter/data
export JUPYTER_RUNTIME_DIR := $(here)/.cache/jupyter/runtime
export MPLCONFIGDIR := $(here)/.cache/matplotlib
export XDG_CACHE_HOME := $(here)/.cache

.PHONY: report test lab lint install example lock clean

report: $(installed)  ## the demo shop's reports; prints their paths
	$(bin)/shopanalysis run --shop data/demo

test: $(installed)  ## every test that needs no browser
	$(bin)/pytest $(pytest_options)

lab: $(installed)  ## JupyterLab on the notebooks
	$(bin)/jupyter lab --notebook-dir=.

lint: $(installed)
	$(bin)/ruff check .
	$(bin)/ruff format --check .

install: $(installed)

$(installed): requirements.lock pyproject.toml
	@$(python) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Name another one with: make python=python3.12 ...")'
	@mkdir -p $(TMPDIR)
	test -x $(bin)/python || $(python) -m venv .venv
	$(bin)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(bin)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

example: $(installed)  ## reports/demo/: what README.md shows (needs Chromium for the pictures)
	rm -rf .cache/example && $(bin)/shopanalysis run --shop data/demo --lang en --out .cache/example
	mkdir -p reports/demo && cp .cache/example/*/demo/*.html .cache/example/*/demo/actions.xlsx reports/demo/
	for page in index daily_report; do chromium --headless --no-sandbox --hide-scrollbars --window-size=1280,1150 \
		--screenshot=reports/demo/$$page.png file://$(here)/reports/demo/$$page.html; done

compile = uv pip compile --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url --no-emit-find-links --quiet

lock:  ## requirements.lock from pyproject.toml, for every Python >= 3.11 and system, and Spark's own (needs uv)
	$(compile) pyproject.toml --extra dev --output-file requirements.lock
	sed -n 's/^ *"\(pyspark.*\)",$$/\1/p' pyproject.toml | $(compile) - --output-file requirements-spark.lock

clean:  ## all that make has made
	rm -rf .venv .cache
