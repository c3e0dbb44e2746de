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
	@echo 'make differential    N=100000 random programs on the kernel and on the engine'
	@echo 'make merge-results   sums up long runs in parts: see docs/long-runs.rst'
	@echo 'make clean      removes what was built'

run: setup-bench compile
	@scripts/compare.py $(B)

bench: setup-bench compile
	@scripts/bench.sh $(B)

test: setup-test compile
	@tests/run.py quick

test-all: setup-test-all compile
	@tests/run.py all

setup-build:    ; @./setup build
setup-bench:    ; @./setup build bench
setup-test:     ; @./setup build cross san group
setup-test-all: ; @./setup build bench cross san stress vm group

# Long runs; docs/long-runs.rst. From seed SEED on; SHARD: one of so many parts.
N := 100000
SEED := 1
SHARD := 1/1
RESULTS = $(B)/results/$@-$(subst /,-of-,$(SHARD)).jsonl

differential: compile
	@ninja -C $(B) --quiet differential
	@mkdir -p "$(dir $(RESULTS))"
	@$(B)/differential --seed $(SEED) --count $(N) --shard $(SHARD) --json "$(RESULTS)"

merge-results:
	@scripts/merge-results.py $(or $(wildcard $(B)/results/*.jsonl),$(error \
		no results in $(B)/results))

compile: | setup-build
	@test -f $(B)/build.ninja || meson setup $(B)
	@ninja -C $(B) products

clean:
	rm -rf $(B) build-*

.NOTPARALLEL:
.PHONY: all help run bench test test-all compile clean differential merge-results \
	setup-build setup-bench setup-test setup-test-all
