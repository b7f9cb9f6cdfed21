#!/bin/sh
# kill -9 of the harness in the middle of a run: no server and no load generator lives on, and the finished
# cells are in the database. Repeated at moments that differ.
#   BUILD=build tests/fault/harness_kill.sh
set -u
cd "$(dirname "$0")/../.."
c10k=$PWD/${BUILD:-build}/c10k
. tests/helpers.sh

cat >"$work/plan.ini" <<'PLAN'
[plan]
servers = thread, epoll
blocks = 50
warmup = 100ms
duration = 200ms
[idle]
connections = 10
idle = 200
PLAN

finished() { grep -c '^idle ' "$1"; }

for delay in 0 0.05 0.15 0.25 0.35 0.45 0.6; do
	: >"$work/out" # here: the child below may be slow to truncate what the last one wrote
	"$c10k" bench "$work/plan.ini" --unchecked --out "$work/results" >"$work/out" 2>"$work/err" &
	harness=$!
	tries=0
	while [ "$(finished "$work/out")" -lt 2 ] && [ $tries -lt 200 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
	sleep $delay
	children=$(children_of $harness)
	seen=$(finished "$work/out")
	kill -9 $harness
	wait $harness 2>/dev/null
	sleep 0.2
	alive=
	for child in $children; do
		# a zombie waits only for its new parent
		grep -q '^State:[[:space:]]*[RSDT]' "/proc/$child/status" 2>/dev/null && alive="$alive $child"
	done
	[ -z "$alive" ] && pass || fail "after $delay s: still running: $alive"

	run=$(ls -d "$work"/results/2*-plan* | tail -n 1)
	"$c10k" report "$run" >/dev/null 2>"$work/err" && pass || fail "the report of a killed run: $(cat "$work/err")"
	kept=$(($(wc -l <"$run/cells.csv") - 1))
	[ "$kept" -ge "$seen" ] && [ "$seen" -ge 2 ] && pass || fail "after $delay s: $seen cells were finished, $kept are kept"
	rm -rf "$run"
done

# the lock died with its holder
timeout 60 "$c10k" bench "$work/plan.ini" --unchecked --blocks 1 --out "$work/results" >/dev/null 2>"$work/err" && pass ||
	fail "a run after a killed one: $(cat "$work/err")"

finish
