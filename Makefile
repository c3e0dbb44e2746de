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
	@echo 'make bench      all comparisons'
	@echo 'make torture    everything at once; SECONDS=600 SEED=1 SHARD=1/1 RESULTS=FILE'
	@echo 'make torture-faults   which faults that finds, and how soon'
	@echo 'make clean      removes what was built'

run: setup-bench compile
	@scripts/compare.py $(B)

bench: setup-bench compile
	@scripts/bench.sh $(B)

test: setup-test compile
	@tests/run.py quick

test-all: setup-test-all compile
	@tests/run.py all

SECONDS ?= 600
SEED ?= 1
SHARD ?= 1/1
# Known to fail: a handler that forks amid a switch at zero.
WITHOUT ?= handler-forks
RESULTS ?= $(B)/results/torture-$(subst /,-of-,$(SHARD)).jsonl

torture: compile
	@ninja -C $(B) --quiet torture
	@mkdir -p "$$(dirname "$(RESULTS)")"
	@rm -f "$(RESULTS)"
	@$(B)/tests/torture/torture --both --refs all --replace all --seconds $(SECONDS) \
		--without "$(WITHOUT)" --seed $(SEED) --shard $(SHARD) --json "$(RESULTS)"

torture-faults: compile
	@ninja -C $(B) --quiet torture
	@tests/torture/faults.py --all

setup-build:    ; @./setup build
setup-bench:    ; @./setup build bench
setup-test:     ; @./setup build cross san
setup-test-all: ; @./setup build bench cross san stress vm

compile: | setup-build
	@test -f $(B)/build.ninja || meson setup $(B)
	@ninja -C $(B) products

clean:
	rm -rf $(B) build-*

.NOTPARALLEL:
.PHONY: all help run bench test test-all compile clean torture torture-faults \
	setup-build setup-bench setup-test setup-test-all
