#!/usr/bin/env bash
# run.sh TARGET|all SECONDS - fuzzes with libFuzzer, two targets at a time; findings end it with 1
#
# New inputs gather under build/fuzz/corpus/TARGET; the committed corpus is only read.
set -euo pipefail
cd "$(dirname "$0")/../.."

fuzz_one() {
	local binary
	binary=$(find build/fuzz -type f -name "fuzz_$1" -perm -u+x | head -n 1)
	[ -n "$binary" ] || { echo "no fuzz target '$1'"; return 2; }
	mkdir -p "build/fuzz/corpus/$1" "build/fuzz/findings"
	if "$binary" -max_total_time="$2" -timeout=10 -rss_limit_mb=4096 -print_final_stats=1 \
		-artifact_prefix="build/fuzz/findings/$1-" "build/fuzz/corpus/$1" "tests/fuzz/corpus/$1" \
		>"build/fuzz/$1.log" 2>&1; then
		echo "$1: no finding in $2 s, $(grep -oE 'number_of_executed_units: +[0-9]+' "build/fuzz/$1.log" | grep -oE '[0-9]+$') inputs"
	else
		echo "$1: FINDING, see build/fuzz/$1.log"
		return 1
	fi
}
export -f fuzz_one

if [ "$1" = all ]; then
	find tests/fuzz -name 'fuzz_*.c' | sed 's/.*fuzz_\(.*\)\.c/\1/' | sort |
		xargs -P 2 -I{} bash -c "fuzz_one {} $2"
else
	fuzz_one "$1" "$2"
fi
