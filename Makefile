# SPDX-License-Identifier: MIT
#
# make help says what there is. SETUP=no installs nothing.

B := build

all: setup-build compile

help:
	@echo 'make            build: $(B)/ufutex and the libraries'
	@echo 'make run        measure futex calls of unmodified programs, on the kernel and here'
	@echo 'make test       every test; the last line counts them'
	@echo 'make test-all   every test in every mode and build, the long ones too'
	@echo 'make models     the models of references, grace periods and tables; models-full: larger'
	@echo 'make bench      all comparisons'
	@echo 'make clean      removes what was built'

run: setup-bench compile
	@scripts/compare.py $(B)

bench: setup-bench compile
	@scripts/bench.sh $(B)

test: setup-test compile
	@tests/run.py quick

test-all: setup-test-all compile
	@tests/run.py all

# SHARD=i/N: only those models; RESULTS=FILE: findings, a line of JSON each.
SHARD ?= 1/1
RESULTS ?= $(B)/results/models-$(subst /,-of-,$(SHARD)).jsonl

models: setup-models
	@models/run.py quick --jobs 2 --build $(B)

models-full: setup-models
	@models/run.py full --jobs 2 --build $(B) --shard $(SHARD) --json $(RESULTS)

setup-build:    ; @./setup build
setup-bench:    ; @./setup build bench
setup-test:     ; @./setup build cross san models
setup-test-all: ; @./setup build bench cross san stress vm models
setup-models:   ; @./setup build models

compile: | setup-build
	@test -f $(B)/build.ninja || meson setup $(B)
	@ninja -C $(B) products

clean:
	rm -rf $(B) build-*

.NOTPARALLEL:
.PHONY: all help run bench test test-all models models-full compile clean \
	setup-build setup-bench setup-test setup-test-all setup-models
