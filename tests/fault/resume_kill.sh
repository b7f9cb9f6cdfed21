#!/bin/sh
# 100 times kill -9 at random moments of a run, most of them of the harness, the rest of a server or a load
# generator under it; --resume goes on each time. No finished cell may be lost or measured twice, no process
# may live on, and in the end every cell of the plan is there.
#   BUILD=build tests/fault/resume_kill.sh [SEED]
set -u
cd "$(dirname "$0")/../.."
build=$PWD/${BUILD:-build}
c10k=$build/c10k
seed=${1:-$(date +%s)}
command -v sqlite3 >/dev/null || { echo "resume_kill skipped: sqlite3 is not installed"; exit 77; }
. tests/helpers.sh

fail() { failed=$((failed + 1)); echo "FAILED (seed $seed, kill $kills): $*"; }
# the processes of a session that are not just waiting for their parent to look
session() { awk -v s="$1" '{ sub(/^.*\) /, "") } $4 == s && $1 != "Z" { split(FILENAME, p, "/"); print p[3] }' \
	/proc/[0-9]*/stat 2>/dev/null; }

# its servers and load generators
children_of() { for p in $(session "$1"); do
	case $(readlink "/proc/$p/exe") in "$build"/servers/* | "$build/loadgen") echo "$p" ;; esac
done; }

cat >"$work/plan.ini" <<'PLAN'
[plan]
servers = thread, epoll, prefork
blocks = 8
warmup = 0
duration = 100ms
[throughput]
connections = 4
[idle]
connections = 4
idle = 100
PLAN
planned=48

# cells RUN: what the store holds, a line a cell; read from a copy, so that the run's own file stays as the kill left it
cells() {
	rm -rf "$work/copy" && cp -r "$1" "$work/copy" || return
	sqlite3 "$work/copy/run.sqlite" 'PRAGMA integrity_check' | grep -qx ok || fail "the store is damaged"
	sqlite3 "$work/copy/run.sqlite" 'SELECT experiment, server, twin, connections, idle, rep, id, sha256 FROM cell' |
		sort
}
# examine: after a kill of the harness: what was finished is there, and as it was
examine() {
	lines=$(grep -cE '^(throughput|idle) ' "$work/out")
	before=$(wc -l <"$work/before")
	cells "$run" >"$work/after"
	[ -z "$(comm -23 "$work/before" "$work/after")" ] && pass || fail "cells that were finished are lost or changed"
	[ $(($(wc -l <"$work/after") - before)) -ge "$lines" ] && pass || fail "$lines cells were shown, but not all are kept"
	mv "$work/after" "$work/before"
}
# start: a new run, or the one there is goes on
start() {
	: >"$work/out"
	if [ -n "$run" ]; then set -- --resume "$run"; else set -- "$work/plan.ini" --unchecked --out "$work/results"; fi
	setsid "$c10k" bench "$@" >"$work/out" 2>"$work/err" &
	harness=$!
	[ -z "$run" ] || return
	# a new one first finds out what this kernel's objects cost: it has begun when it shows its plan
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		[ ! -s "$work/out" ] || break
		sleep 0.2
	done
}
# ended: what the harness has to say when nobody killed it: the run is complete, or had not begun when it was killed
ended() {
	wait $harness
	code=$?
	if [ $code = 2 ] && grep -q 'before it had begun' "$work/err"; then
		[ "$(wc -l <"$work/before")" = 0 ] && pass || fail "a run with cells does not go on"
	else
		[ $code = 0 ] || fail "bench ends with $code: $(cat "$work/err")"
		examine
		whole=$(sqlite3 "$run/run.sqlite" "SELECT (SELECT value FROM run WHERE key = 'status'), count(*),
			count(DISTINCT experiment || server || rep), count(DISTINCT position) FROM cell")
		[ "$whole" = "complete|$planned|$planned|$planned" ] && pass || fail "complete, with each cell once: $whole"
		[ "$(sqlite3 "$run/run.sqlite" "SELECT count(*) FROM cell WHERE verdict = 'failed'")" -le $children ] && pass ||
			fail "more cells failed than lost their server or load generator"
		"$c10k" report "$run" >/dev/null 2>&1 && pass || fail "a resumed run has no report"
		"$c10k" verify "$run" >"$work/verify" && pass || fail "a resumed run is not true: $(cat "$work/verify")"
		runs=$((runs + 1))
	fi
	harness= run=
	: >"$work/before"
}

kills=0 children=0 runs=0 harness= run=
: >"$work/before"
echo "seed $seed"
awk -v seed="$seed" 'BEGIN { srand(seed); for (i = 0; i < 100; i++) print int(50 + rand() * 450), rand() < 0.3, rand() }' \
	>"$work/moments"
while read -r ms of_child which; do
	[ -n "$harness" ] || start
	sleep "$(printf '0.%03d' "$ms")"
	[ -n "$run" ] || run=$(ls -d "$work"/results/2* 2>/dev/null | tail -n 1)
	if ! kill -0 $harness 2>/dev/null; then
		ended
		start
		sleep 0.3
		run=$(ls -d "$work"/results/2* | tail -n 1)
	fi
	kills=$((kills + 1))
	victim=$(children_of $harness | awk -v r="$which" '{ p[NR] = $1 } END { if (NR) print p[1 + int(r * NR)] }')
	if [ "$of_child" = 1 ] && [ -n "$victim" ] && kill -9 "$victim" 2>/dev/null; then
		children=$((children + 1))
		continue # the harness goes on, and so do we
	fi
	kill -9 $harness
	wait $harness 2>/dev/null
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		alive=$(session $harness)
		[ -n "$alive" ] || break
		sleep 0.05
	done
	[ -z "$alive" ] && pass || fail "still running: $alive"
	[ -z "$run" ] || examine
	harness=
done <"$work/moments"
[ -n "$harness" ] || start
ended

echo "$kills kills, $children of them of servers and load generators; $runs runs were completed"
finish && [ $runs -ge 1 ]
