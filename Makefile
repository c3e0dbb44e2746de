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
	@echo 'make programs   real programs, bare and under ufutex run (docs/programs.rst);'
	@echo '                ARGS="--only redis --no-throughput", SHARD=1/1'
	@echo 'make bench      all comparisons'
	@echo 'make amalgamation  $(B)/amalgamation: ufutex.c, ufutex.h (docs/embedding.rst)'
	@echo 'make clean      removes what was built'
	@echo
	@echo 'Long runs, each with SEED=1 SHARD=1/1 RESULTS=FILE (docs/long-runs.rst):'
	@echo 'make explore         schedules of the engine on a model of a machine; BOUND=2 N=200000'
	@echo 'make differential    N=100000 random programs on the kernel and on the engine'
	@echo 'make torture         everything at once for SECONDS=600'
	@echo 'make models-full     the models with larger bounds'
	@echo 'make merge-results   sums up such runs'
	@echo
	@echo 'make models          the models and their negatives'
	@echo 'make mutants         what is taken out of the engine, and which scenario notices'
	@echo 'make rules-table     what they found, into docs/rules-table.rst'
	@echo 'make torture-faults  which faults torture finds, and how soon'

run: setup-bench compile
	@scripts/compare.py $(B)

bench: setup-bench compile
	@scripts/bench.sh $(B)

programs: setup-programs compile
	@programs/run.py --build $(B) --rows $(SHARD) $(ARGS)

amalgamation: setup-build
	@scripts/amalgamate.py --output $(B)/amalgamation

test: setup-test compile
	@tests/run.py quick

test-all: setup-test-all compile
	@tests/run.py all

setup-build:    ; @./setup build
setup-bench:    ; @./setup build bench embed
setup-models:   ; @./setup build models
setup-programs:
	@./setup build
	$(call if-possible,programs media)
setup-test:
	@./setup build cross san group models run embed
	$(call if-possible,quick-programs)
setup-test-all:
	@./setup build bench cross san stress vm group models run embed
	$(call if-possible,quick-programs)

# What is not there is skipped, and named.
if-possible = @for group in $(1); do ./setup $$group || \
	echo "make: what needs group $$group is skipped" >&2; done

# ---- long runs: from seed SEED on; SHARD: one of so many parts

N := 100000
BOUND := 2
SECONDS := 600
SEED := 1
SHARD := 1/1
RESULTS = $(B)/results/$@-$(subst /,-of-,$(SHARD)).jsonl
LONG = --seed $(SEED) --shard $(SHARD) --json "$(RESULTS)"

# A shard's results anew, and what makes them.
define long-run
	@ninja -C $(B) --quiet $(1)
	@mkdir -p "$$(dirname "$(RESULTS)")"
	@rm -f "$(RESULTS)"
endef

explore: N := 200000
explore: setup-build compile
	$(call long-run,ufutex-explore)
	@$(B)/ufutex-explore run --bound $(BOUND) --count $(N) $(LONG)

differential: setup-build compile
	$(call long-run,differential)
	@$(B)/differential --count $(N) $(LONG)

torture: setup-build compile
	$(call long-run,torture)
	@$(B)/tests/torture/torture --both --refs all --replace all --seconds $(SECONDS) $(LONG)

models-full: setup-models
	@mkdir -p "$$(dirname "$(RESULTS)")"
	@models/run.py full --shard $(SHARD) --json "$(RESULTS)"

merge-results:
	@scripts/merge-results.py $(or $(wildcard $(B)/results/*.jsonl),$(error \
		no results in $(B)/results))

# ---- what is taken out, and whether that is noticed

models: setup-models
	@models/run.py quick

mutants: setup-build compile
	@ninja -C $(B) --quiet ufutex-explore
	@explore/mutants.py $(B)

rules-table: setup-build compile
	@ninja -C $(B) --quiet ufutex-explore
	@scripts/rules-table.py $(B)

torture-faults: setup-build compile
	@ninja -C $(B) --quiet torture
	@tests/torture/faults.py --all --programs $(B)/tests/torture/torture \
		$(B)/tests/torture/torture-poisoned

compile: | setup-build
	@test -f $(B)/build.ninja || meson setup $(B)
	@ninja -C $(B) products

clean:
	rm -rf $(B) build-*

.NOTPARALLEL:
.PHONY: all help run bench programs amalgamation test test-all compile clean explore differential \
	torture models models-full mutants merge-results torture-faults \
	rules-table \
	setup-build setup-bench setup-models setup-programs setup-test setup-test-all
