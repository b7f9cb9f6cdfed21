#!/bin/sh
# A run that goes on until all is decided is killed, then interrupted, in a block beyond its plan; --resume goes on
# each time. In the end it is complete: every block whole, no cell twice, everything true, the verdict told.
#   BUILD=build tests/fault/undecided_kill.sh
set -u
cd "$(dirname "$0")/../.."
build=$PWD/${BUILD:-build}
c10k=$build/c10k
command -v sqlite3 >/dev/null || { echo "undecided_kill skipped: sqlite3 is not installed"; exit 77; }
. tests/helpers.sh

sql() { sqlite3 "$run/run.sqlite" "$1"; }

# Two places for four who wait 5 ms each: half of what epoll serves. No verdict rests on fewer than three blocks, so
# there are two further ones at least; whoever is killed in the first of them has work left.
cat >"$work/plan.ini" <<'PLAN'
[plan]
servers = epoll, threadpool[threads=2]
blocks = 1
warmup = 0
duration = 200ms
[wait]
connections = 4
target = /sleep/5
twin = epoll
PLAN

# start ARGUMENTS...: bench in the background, until it has finished $cells cells beyond "another block"
start() {
	: >"$work/out"
	"$c10k" bench "$@" >"$work/out" 2>"$work/err" &
	harness=$!
	for _ in $(seq 200); do
		[ "$(awk '/another block/ { on = 1 } on && /^wait / { n++ } END { print on ? n + 0 : -1 }' "$work/out")" -lt "$cells" ] || break
		sleep 0.05
	done
}
# keeps: what was finished is there as it was
keeps() {
	cp -r "$run" "$work/copy" && sqlite3 "$work/copy/run.sqlite" "SELECT id, position, sha256 FROM cell ORDER BY id" >"$work/after"
	rm -r "$work/copy"
	head -n "$(wc -l <"$work/before")" "$work/after" | cmp -s - "$work/before" && pass || fail "finished cells are lost or changed"
	mv "$work/after" "$work/before"
}
: >"$work/before"

# kill -9 when one cell of the second block is finished and the next is under way
cells=1
start "$work/plan.ini" --unchecked --until-decided --seed 3 --out "$work/results"
sleep 0.1
kill -9 $harness && pass || fail "there was nothing to kill: $(cat "$work/out" "$work/err")"
wait $harness 2>/dev/null
run=$(ls -d "$work"/results/2*)
keeps
[ "$(wc -l <"$work/before")" -ge 4 ] && pass || fail "three cells of the plan and one beyond: $(cat "$work/before")"

# it goes on in that block, and is interrupted in the next; a shell lets its jobs ignore SIGINT, so SIGTERM stands in
cells=3
start --resume "$run"
kill -TERM $harness
wait $harness
[ $? = 143 ] && pass || fail "SIGTERM: exit 143: $(cat "$work/out" "$work/err")"
grep -q '0 of 3 planned cells are missing' "$work/out" && pass || fail "of the plan nothing was missing: $(cat "$work/out")"
keeps
kept=$(wc -l <"$work/before")
[ "$(sql "SELECT value FROM run WHERE key = 'status'")" = partial ] && pass || fail "an interrupted run is partial"

# and to its end
timeout 60 "$c10k" bench --resume "$run" >"$work/out" 2>"$work/err" && pass || fail "the resumed run: $(cat "$work/out" "$work/err")"
keeps
[ "$(wc -l <"$work/before")" -gt "$kept" ] && pass || fail "nothing was left to do: $kept cells before"
whole=$(sql "SELECT (SELECT value FROM run WHERE key = 'status'), count(*) = (SELECT value FROM run WHERE key = 'planned_cells'),
	count(*) = 3 * max(rep), count(DISTINCT server || twin || ' ' || rep) = count(*), count(DISTINCT position) = count(*),
	max(position) = count(*), max(rep) BETWEEN 3 AND 30 FROM cell")
[ "$whole" = 'complete|1|1|1|1|1|1' ] && pass || fail "complete, with each cell once: $whole, $(sql 'SELECT server, twin, rep, position FROM cell')"
[ "$(sql "SELECT value FROM run WHERE key = 'resumed'")" = 2 ] && pass || fail "how often it was resumed is not told"
# fewer than 30 blocks only when decided
if grep -qE '^  wait +4 +threadpool\+ .* (lower|undecided) .* ([3-9]|[12][0-9]|30)$' "$work/out"; then pass
else fail "the verdict is told: $(cat "$work/out")"; fi
if grep -q 'threadpool+ .* undecided' "$work/out" && [ "$(sql 'SELECT max(rep) FROM cell')" -lt 30 ]; then
	fail "it ended undecided: $(cat "$work/out")"
fi
"$c10k" verify "$run" >"$work/verify" 2>&1 && pass || fail "a resumed run is not true: $(cat "$work/verify")"
"$c10k" bench --resume "$run" | grep -q 'is complete: nothing is missing' && pass || fail "a complete run goes on"

finish
