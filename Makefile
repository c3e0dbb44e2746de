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
setup-test:     ; @./setup build cross san
setup-test-all: ; @./setup build bench cross san stress vm

compile: | setup-build
	@test -f $(B)/build.ninja || meson setup $(B)
	@ninja -C $(B) products

clean:
	rm -rf $(B) build-*

.NOTPARALLEL:
.PHONY: all help run bench test test-all compile clean \
	setup-build setup-bench setup-test setup-test-all
