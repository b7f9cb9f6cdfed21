#!/bin/sh
# Runs that end early go on where they stopped, and only as they began; what was changed afterwards is noticed.
#   BUILD=build tests/cli/store.sh
set -u
cd "$(dirname "$0")/../.."
build=$PWD/${BUILD:-build}
c10k=$build/c10k
command -v sqlite3 >/dev/null || { echo "store skipped: sqlite3 is not installed"; exit 77; }
. tests/helpers.sh

# prints CODE PATTERN COMMAND...: exit code, and the pattern on standard output
prints() {
	code=$1 pattern=$2
	shift 2
	timeout 60 "$@" >"$work/out" 2>"$work/err" </dev/null
	got=$?
	[ $got = "$code" ] || fail "$* exits $got, not $code: $(cat "$work/err")"
	if grep -q -- "$pattern" "$work/out"; then pass; else fail "$* does not print '$pattern': $(cat "$work/out")"; fi
}
sql() { sqlite3 "$run/run.sqlite" "$1"; }

# --- words that are wrong
expect 2 '--resume stands alone' "$c10k" bench quick --resume "$work"
expect 2 '--resume stands alone' "$c10k" bench --resume "$work" --seed 1
expect 2 '--resume needs a value' "$c10k" bench --resume
expect 2 'no run: give its folder' "$c10k" bench --resume "$work"
expect 2 'no run: give its folder' "$c10k" bench --resume "$work/none"
mkdir "$work/early" && : >"$work/early/run.sqlite"
expect 2 'before it had begun' "$c10k" bench --resume "$work/early"

# --- a project of its own, so that its programs can be changed
mkdir -p "$work/own/build/servers" "$work/own/harness"
cp "$c10k" "$build/loadgen" "$work/own/build/"
cp "$build/servers/epoll" "$build/servers/thread" "$work/own/build/servers/"
own=$work/own/build
cat >"$work/plan.ini" <<'PLAN'
[plan]
servers = thread, epoll
blocks = 50
warmup = 0
duration = 100ms
[throughput]
connections = 4
PLAN
: >"$work/first" # it is looked at before the run may have made it
# a shell lets its background jobs ignore SIGINT, so SIGTERM stands in for Ctrl-C
(cd "$work" && exec "$own/c10k" bench plan.ini --unchecked --blocks 4 --seed 5 --out results >"$work/first" 2>&1) &
harness=$!
for _ in $(seq 100); do
	[ "$(grep -c '^throughput ' "$work/first")" -lt 2 ] || break
	sleep 0.1
done
kill -TERM $harness
wait $harness
[ $? = 143 ] && pass || fail "SIGTERM: exit 143: $(cat "$work/first")"
run=$work/results/$(readlink "$work/results/latest")
sql "SELECT id, position, sha256 FROM cell" >"$work/cells"
kept=$(wc -l <"$work/cells")
[ "$kept" -ge 2 ] && [ "$kept" -lt 8 ] && pass || fail "a partial run has $kept cells"

# --- it goes on only as it began
cp "$own/servers/epoll" "$work/epoll"
echo >>"$own/servers/epoll"
expect 2 'changed since it began: servers/epoll (was ' "$own/c10k" bench --resume "$run"
cp "$work/epoll" "$own/servers/epoll"
cp "$build/loadgen" "$work/loadgen"
echo >>"$own/loadgen"
expect 2 'changed since it began: loadgen (was ' "$own/c10k" bench --resume "$run"
cp "$work/loadgen" "$own/loadgen"
echo '; a word' >>"$work/plan.ini"
expect 2 'the plan .*plan.ini has changed' "$own/c10k" bench --resume "$run"
rm "$work/plan.ini" # its text is in the run
for key in governor kernel cpu_model server_cpus file_limit libraries; do
	before=$(sql "SELECT value FROM run WHERE key = '$key'")
	sql "UPDATE run SET value = 'another' WHERE key = '$key'"
	expect 2 '(was another, is ' "$own/c10k" bench --resume "$run"
	sqlite3 "$run/run.sqlite" -cmd ".parameter init" -cmd ".parameter set @v '$before'" \
		"UPDATE run SET value = @v WHERE key = '$key'"
done
sql "SELECT id, position, sha256 FROM cell" | cmp -s - "$work/cells" && pass || fail "a refusal changes cells"

# --- and then with what is missing, in the order of the seed
prints 0 "$((8 - kept)) of 8 planned cells are missing" "$own/c10k" bench --resume "$run"
[ "$(grep -c '^throughput ' "$work/out")" = $((8 - kept)) ] && pass || fail "only what is missing: $(cat "$work/out")"
sql "SELECT id, position, sha256 FROM cell LIMIT $kept" | cmp -s - "$work/cells" && pass || fail "finished cells changed"
[ "$(sql "SELECT count(*), count(DISTINCT position), sum(id = position) FROM cell")" = '8|8|8' ] && pass ||
	fail "cells in order: $(sql 'SELECT id, position FROM cell')"
[ "$(sql "SELECT value FROM run WHERE key = 'status'")" = complete ] && pass || fail "a resumed run is complete"
[ "$(wc -l <"$run/cells.csv")" = 9 ] && pass || fail "cells.csv is made again"
prints 0 'is complete: nothing is missing' "$own/c10k" bench --resume "$run"

cp -r "$run" "$work/resumed"

# --- rates that follow from a capacity are those of the stored cells
cat >"$work/rates.ini" <<'PLAN'
[plan]
servers = thread, epoll
blocks = 1
warmup = 0
duration = 100ms
[throughput]
connections = 4
[cost]
connections = 4
rates = 50%
PLAN
timeout 60 "$own/c10k" bench "$work/rates.ini" --unchecked --out "$work/results" >"$work/out" 2>&1
run=$work/results/$(readlink "$work/results/latest")
of_capacity="SELECT round(min(rate_per_s) / 2) FROM cell WHERE experiment = 'throughput'"
if [ "$(sql "SELECT count(*) FROM cell WHERE experiment = 'throughput' AND verdict IN ('valid', 'client-limited')")" = 2 ]; then
	sql "DELETE FROM cell WHERE experiment = 'cost'; DELETE FROM raw WHERE cell_id NOT IN (SELECT id FROM cell); UPDATE run SET value = 'partial' WHERE key = 'status'"
	prints 0 '2 of 4 planned cells are missing' "$own/c10k" bench --resume "$run"
	[ "$(sql "SELECT group_concat(DISTINCT offered_per_s = ($of_capacity)) FROM cell WHERE experiment = 'cost'")" = 1 ] &&
		pass || fail "rates of a resumed run: $(sql "$of_capacity"), $(sql 'SELECT experiment, offered_per_s FROM cell')"
else
	echo "rates skipped: no capacity was found on this busy machine"
fi
run=$work/results/resumed
mv "$work/resumed" "$run"

# --- verify: an untouched run is true; each change is named
expect 2 'give one folder' "$c10k" verify
expect 2 'no run: give its folder' "$c10k" verify "$work/none"
prints 0 'true: everything is as it was measured' "$c10k" verify "$run"
cp -r "$run" "$work/untouched"
prints 0 'true: everything is as it was measured' "$c10k" verify "$work/untouched"
mkdir "$work/a\`b" && cp "$run/run.sqlite" "$work/a\`b"
prints 0 'report.html' "$c10k" report "$work/a\`b"
# again: the run as it was before the next change
again() { rm -rf "$run" && cp -r "$work/untouched" "$run"; }
# one character of the histogram of service time, in cell 3
sql "UPDATE cell SET loadgen = substr(loadgen, 1, at) || CASE substr(loadgen, at + 1, 1) WHEN 'A' THEN 'B' ELSE 'A' END ||
	substr(loadgen, at + 2) FROM (SELECT instr(loadgen, '\"hdr\": \"') + 40 AS at FROM cell WHERE id = 3) WHERE id = 3"
prints 4 'cell 3 (throughput, .*, 4 connections, block [12]): its content is not what was stored' "$c10k" verify "$run"
[ "$(grep -c ': its content' "$work/out")" = 1 ] && pass || fail "only that cell is named: $(cat "$work/out")"
# every character of it, whichever it is
for at in 9 25 60; do
	again
	sql "UPDATE cell SET loadgen = substr(loadgen, 1, at) || CASE substr(loadgen, at + 1, 1) WHEN 'A' THEN 'B' ELSE 'A' END ||
		substr(loadgen, at + 2) FROM (SELECT instr(loadgen, '\"hdr\": \"') + $at AS at FROM cell WHERE id = 5) WHERE id = 5"
	prints 4 'cell 5 .*: its content' "$c10k" verify "$run"
done
again
sql "INSERT INTO syscall VALUES (2, 'read', 1, 1, 'bpf')"
prints 4 'cell 2 .*: its content' "$c10k" verify "$run"
again
sql "UPDATE cell SET rate_per_s = rate_per_s * 1.01 WHERE id = 2"
prints 4 'cell 2 .*: rate_per_s is .*, recomputed it is' "$c10k" verify "$run"
grep -q '  cells.csv: is not what run.sqlite gives' "$work/out" && pass || fail "a table that is no longer true"
again
sql "UPDATE cell SET loadgen = replace(loadgen, '\"count\": ', '\"count\": 1') WHERE id = 4"
prints 4 'cell 4 .*: latency_ns.service.count is .*, recomputed it is' "$c10k" verify "$run"
again
sed 's/requests/Requests/' "$run/report.md" >"$work/md" && cp "$work/md" "$run/report.md"
echo 1 >>"$run/plots/throughput.tsv"
prints 4 'report.md: is not what run.sqlite gives' "$c10k" verify "$run"
grep -q '  plots/throughput.tsv: is not' "$work/out" && pass || fail "a figure's data"
grep -q 'NOT TRUE: 2 differences' "$work/out" && pass || fail "two files differ: $(cat "$work/out")"
again
prints 0 'true: everything' "$c10k" verify "$run"
rm -r "$run"/report.* "$run/plots" "$run/cells.csv"
prints 0 'no report yet' "$c10k" verify "$run"

# --- another version's run
sql 'PRAGMA user_version = 3'
for reader in verify report 'bench --resume'; do
	expect 1 'made by another version of c10k (schema 3, not ' "$c10k" $reader "$run"
done
sql "$(grep '^PRAGMA user_version' harness/schema.sql)"

# --- what the kernel counted of the server: figures follow from it, here too
cat >"$work/ledger.ini" <<'PLAN'
[plan]
servers = thread, epoll
blocks = 1
warmup = 100ms
duration = 300ms
[ledger]
connections = 100
PLAN
timeout 60 "$own/c10k" bench "$work/ledger.ini" --unchecked --out "$work/results" >"$work/out" 2>&1
run=$work/results/$(readlink "$work/results/latest")
prints 0 'true: everything is as it was measured' "$c10k" verify "$run"
rm -r "$run"/report.* "$run/plots" "$run/cells.csv" # only the cells from here on
cp "$run/run.sqlite" "$work/counted"
sql "UPDATE raw SET voluntary = voluntary + 1000 WHERE cell_id = 2"
prints 4 'cell 2 (ledger, .*): ctx_voluntary_per_req is .*, recomputed it is' "$c10k" verify "$run"
[ "$(grep -c 'cell 1 ' "$work/out")" = 0 ] && pass || fail "only that cell is named: $(cat "$work/out")"
while read -r count figure; do
	cp "$work/counted" "$run/run.sqlite"
	# a machine without perf counters, say, gives neither
	[ "$(sql "SELECT max($count) IS NULL FROM raw")" = 0 ] || continue
	# what others do meanwhile can hide what a kernel object costs: its figures are blank then
	[ "$(sql "SELECT max($figure) IS NULL FROM cell")" = 0 ] || { skip "$count: $figure is blank"; continue; }
	# with few ticks all may be the system's: more of them are no other share
	[ "$count" != tick_system_us ] || [ "$(sql "SELECT max(tick_user_us) > 0 FROM raw")" = 1 ] ||
		{ skip "$count: no tick was the user's"; continue; }
	sql "UPDATE raw SET $count = $count * 1.1 + 1"
	prints 4 "cell [12] (.*): $figure is .*, recomputed it is" "$c10k" verify "$run"
done <<'COUNTS'
window_ns ctx_voluntary_per_req
completed runqueue_us_per_req
perf_ns server_cpu
perf_switches ctx_switches_per_req
perf_cpu_ns server_cpu
tasks_ns ctx_voluntary_per_req
involuntary ctx_involuntary_per_req
task_wait_ns runqueue_us_per_req
tick_user_us cpu_user_us_per_req
tick_system_us cpu_sys_us_per_req
minor_faults minor_faults_per_req
major_faults major_faults_per_req
harness_cpu_ns harness_cpu_share
syscall_ns syscalls_per_req
syscall_requests syscalls_per_req
clients user_bytes_per_conn
pss_bytes user_bytes_per_conn
page_table_bytes page_table_bytes_per_conn
new_threads stack_bytes_per_conn
new_processes kernel_bytes_per_conn
new_sockets socket_bytes_per_conn
new_epoll_items socket_bytes_per_conn
new_uring_requests socket_bytes_per_conn
bytes_per_thread stack_bytes_per_conn
bytes_per_socket socket_bytes_per_conn
bytes_per_epoll_item kernel_bytes_per_conn
COUNTS
cp "$work/counted" "$run/run.sqlite"
sql "UPDATE syscall SET calls = calls + 1000 WHERE cell_id = 1"
prints 4 'cell 1 (.*): syscalls_per_req is .*, recomputed it is' "$c10k" verify "$run"
if [ "$(sql "SELECT count(*) > 0 FROM timeline_thread")" = 1 ]; then
	cp "$work/counted" "$run/run.sqlite"
	sql "UPDATE timeline_thread SET running_ns = running_ns + 1"
	prints 4 "cell [12] (.*): running_ns of thread .* is .*, recomputed it is" "$c10k" verify "$run"
fi
cp "$work/counted" "$run/run.sqlite"
sql "DELETE FROM raw WHERE cell_id = 1"
prints 4 'cell 1 (.*): server_cpu is .*, recomputed it is nan' "$c10k" verify "$run"

finish
