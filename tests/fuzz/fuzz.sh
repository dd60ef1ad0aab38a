#!/bin/sh
# fuzz.sh - feeds the parsers of outside bytes broken input for FUZZ_TIME
# seconds each (60), side by side, under the sanitizers for addresses and
# undefined behaviour. An input that breaks one is kept in build/fuzz.
set -u
cd "$(dirname "$0")/../.." || exit 1
folder=${O:-build}/fuzz
time=${FUZZ_TIME:-60}
work=$(mktemp -d "${TMPDIR:-/tmp}/vkcb-fuzz.XXXXXX")
sanitizers=-fsanitize=fuzzer-no-link,address,undefined
sanitizers="$sanitizers -fno-sanitize-recover=all"
pids=
# shellcheck disable=SC2086 # a list of numbers
trap '[ -z "$pids" ] || kill $pids 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

${MAKE:-make} --no-print-directory O="$folder" CC=clang CFLAGS='-O1 -g' \
    LDFLAGS= DEV= SANITIZERS="$sanitizers" fuzzers >"$work/make" 2>&1 || {
	cat "$work/make"
	echo "not ok - fuzz: cannot build"
	exit 1
}

# fuzz NAME SEEDS - starts a fuzzer.
fuzz() {
	mkdir "$work/$1"
	"$folder/tests/fuzz/$1" -max_total_time="$time" -timeout=10 \
	    -rss_limit_mb=2048 -malloc_limit_mb=4096 -max_len=16384 \
	    -len_control=10 -print_final_stats=1 \
	    -artifact_prefix="$folder/$1-" "$work/$1" "$2" \
	    >"$work/$1.log" 2>&1 &
	pids="$pids $!"
}

# ended NAME PID - waits for the fuzzer, and judges it.
ended() {
	if wait "$2"; then
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' \
		    "$work/$1.log")
		echo "ok - fuzz $1: $runs inputs in $time s break nothing"
	else
		tail -n 60 "$work/$1.log"
		echo "not ok - fuzz $1: the input is kept as $folder/$1-*"
		failed=1
	fi
}

failed=0
started=
for entry in tests/fuzz/*.c; do
	name=$(basename "$entry" .c)
	seeds=tests/fuzz/$name
	[ "$name" != body ] || seeds=tests/bodies
	fuzz "$name" "$seeds"
	started="$started $name:$!"
done
for entry in $started; do
	ended "${entry%:*}" "${entry#*:}"
done
pids=
exit $failed
