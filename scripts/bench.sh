#!/bin/sh
# SPDX-License-Identifier: MIT
# All comparisons that `ufutex bench` makes. usage: bench.sh [BUILD]

ufutex=${1:-build}/ufutex
status=0

while read -r arguments; do
	[ -t 2 ] && printf 'ufutex bench %s ...\r' "$arguments" >&2
	# shellcheck disable=SC2086
	"$ufutex" bench $arguments </dev/null || status=1
	echo
done <<'END'
hash --threads 1
hash --threads 2
hash-bucket --threads 1
wake-empty --threads 1
wake-empty --threads 2
wake
requeue
pingpong
mutex --threads 2
mutex --threads 4
cond
ref --threads 1
ref --threads 2
grace
resize
resize --sleepers 1000
resize --load
pin-cost
domains
wasm
fibers
END
exit $status
