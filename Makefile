# make run    the dashboard on http://localhost:8501
# make test   every check and test, with everything they need
# make gpu    add the CUDA libraries to the environment, and say whether the GPU is seen
# make tensorboard   TensorBoard on the runs of the workspace, on http://localhost:6006
# make check  the same checks, in an environment that is already there

PYTHON ?= python3
PORT ?= 8501
ADDRESS ?= localhost
TENSORBOARD_PORT ?= 6006
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif

.PHONY: run test gpu tensorboard check format test-long clean

run: .venv/run-ready
	@$(BIN)/python -m hanzi_core serve --port $(PORT) --address $(ADDRESS)

test: .venv/test-ready
	@sh tests/install_chromium.sh
	@$(MAKE) --no-print-directory check

check:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not long"

gpu: .venv/run-ready
	$(BIN)/python -m pip install --disable-pip-version-check "tensorflow[and-cuda]==$$(sed -n 's/^tensorflow==//p' requirements.txt)"
	@$(BIN)/python -m hanzi_core doctor

tensorboard: .venv/run-ready
	$(BIN)/python -m tensorboard.main --logdir "$${HANZI_WORKSPACE:-workspace}/jobs" --port $(TENSORBOARD_PORT)

format:
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test-long: .venv/test-ready
	$(BIN)/python -m pytest -m long

.venv/bin-ready:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 run"; exit 1; }
	@$(PYTHON) -m venv .venv
	@touch $@

# An install that broke off leaves no mark, so the next make starts it again.
.venv/run-ready: requirements.txt | .venv/bin-ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/test-ready: requirements.txt requirements-dev.txt | .venv/bin-ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ .venv/run-ready

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache
