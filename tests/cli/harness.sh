#!/bin/sh
# What people type wrong, and what a short run leaves behind: messages, exit codes, files.
#   BUILD=build tests/cli/harness.sh
set -u
cd "$(dirname "$0")/../.."
c10k=$PWD/${BUILD:-build}/c10k
. tests/helpers.sh

# prints PATTERN COMMAND...: exit code 0, and the pattern on standard output
prints() {
	pattern=$1
	shift
	timeout 60 "$@" >"$work/out" 2>"$work/err" </dev/null || fail "$* exits $?: $(cat "$work/err")"
	if grep -q -- "$pattern" "$work/out"; then pass; else fail "$* does not print '$pattern'"; fi
}
plan() { printf '%b' "$1" >"$work/plan.ini"; }

# --- words that are wrong
expect 2 'which command' "$c10k"
expect 2 'unknown command "mesure"' "$c10k" mesure
expect 2 'unknown option --fast' "$c10k" bench --fast
expect 2 '--seed needs a value' "$c10k" bench --seed
expect 2 '--seed x: give a number' "$c10k" bench --seed x
expect 2 '--blocks 0: give a number from 1 to 100' "$c10k" bench --blocks 0
expect 2 'one plan, not "quick" and "full"' "$c10k" bench quick full
expect 2 'plan "nope": there is no' "$c10k" bench nope
expect 2 'server "apache" does not exist' "$c10k" bench quick --servers apache
expect 2 'the plan has no "speed"' "$c10k" bench quick --experiments speed
expect 2 '--server-cpus 999: give a list' "$c10k" bench quick --server-cpus 999 --client-cpus 0
expect 2 '--server-cpus 0,0: give a list' "$c10k" bench quick --server-cpus 0,0 --client-cpus 0
expect 2 'give both' "$c10k" bench quick --server-cpus 0
expect 2 '--seed a?b?\[31m: give a number' "$c10k" bench --seed "$(printf 'a\nb\033[31m')"
expect 2 'list: "plan"' "$c10k" list plan
expect 2 'doctor: "now"' "$c10k" doctor now

# --- plans that are wrong: file, line, cure
plan '[plan]\nblocks = 1\n\n[idle]\ncolour = red\n'
expect 2 'plan.ini:5: unknown key "colour" here: use ' "$c10k" bench "$work/plan.ini"
plan '[plan]\n[idle]\nconnections = lots\n'
expect 2 'plan.ini:3: connections "lots": use counts' "$c10k" bench "$work/plan.ini"
plan '[plan]\nservers = epoll, apache\n'
expect 2 'plan.ini:2: server "apache" does not exist' "$c10k" bench "$work/plan.ini"
plan '[plan]\n[race]\nconnections = 1\n'
expect 2 'plan.ini:2: unknown experiment \[race\]' "$c10k" bench "$work/plan.ini"
plan '[plan]\n[latency]\npipeline = 4\n'
expect 2 'plan.ini:3: "pipeline" has no meaning here' "$c10k" bench "$work/plan.ini"
plan '[plan]\nservers = select[fd-setsize=lots]\n[idle]\nconnections = 1\n'
expect 2 'server select\[fd-setsize=lots\]: --describe: exit code 2' "$c10k" bench --dry-run "$work/plan.ini"

# --- a full disk behind what is printed
for command in --version list 'list --help' doctor 'bench quick --dry-run'; do
	expect 1 'standard output cannot be written' sh -c "'$c10k' $command >/dev/full"
done

# --- help, lists, plans that are right, from anywhere
for command in "" bench report verify compare diff-env check list doctor; do
	prints 'c10k' "$c10k" $command --help
done
prints '^c10k [0-9]' "$c10k" --version
prints '^epoll ' "$c10k" list servers
mkdir -p "$work/odd/build/servers" && cp "$c10k" "$work/odd/build" && cp "${c10k%/*}/servers/epoll" "$work/odd/build/servers/a&b"
prints '^none are built' "$work/odd/build/c10k" list servers
prints '^quick ' "$c10k" list plans
prints '^idle ' "$c10k" list experiments
prints 'ok.*loadgen' "$c10k" doctor
for name in quick c10k full; do
	prints 'expected  .* cells' "$c10k" bench --dry-run "$name" --out "$work/none"
done
holds 'a dry run writes nothing' test ! -e "$work/none"
prints 'expected' sh -c "cd / && '$c10k' bench --dry-run quick"
prints 'seed      7' "$c10k" bench --dry-run quick --seed 7
prints 'cells: throughput [0-9]* *[ms0-9]*.*, idle ' "$c10k" bench --dry-run quick
prints 'to the plan full: .*throughput with' "$c10k" bench --dry-run quick
prints '^  stream  *10, 100, 1k; 16 in flight ' "$c10k" bench --dry-run full
"$c10k" bench --dry-run c10k | awk 'length > 80 && !/\.ini$/ { print; wide = 1 } END { exit wide }' && pass ||
	fail "the plan is wider than 80 columns"

plan '[plan]\n[cost]\nconnections = 1k\nrates = 10k, 50%\n'
expect 2 'plan.ini:2: rates in % are of the capacity that \[throughput\] finds: put one before' "$c10k" bench "$work/plan.ini"
expect 2 '--experiments cost: rates in % .* put one before \[cost\]' "$c10k" bench full --experiments cost

# --- places that are wrong
: >"$work/file"
expect 1 'cannot write to .*Not a directory' "$c10k" bench quick --out "$work/file/results"
expect 1 'cannot write to /proc/c10k' "$c10k" bench quick --out /proc/c10k
if [ "$(id -u)" != 0 ]; then
	mkdir -m 555 "$work/sealed"
	expect 1 'cannot write to .*Permission denied' "$c10k" bench quick --out "$work/sealed"
fi
mkdir -p "$work/bare/build" && cp "$c10k" "$work/bare/build/"
mkdir -p "$work/bare/harness" && cp -r harness/plans "$work/bare/harness/"
expect 1 'no servers in .*make all' "$work/bare/build/c10k" bench quick --out "$work/results"
mkdir "$work/bare/build/servers" && cp "${c10k%/*}"/servers/* "$work/bare/build/servers/"
expect 1 'loadgen is missing: run make all' "$work/bare/build/c10k" bench quick --out "$work/results"

# --- a server that cannot start, and one that does not describe itself
cp "${c10k%/*}/loadgen" "$work/bare/build/"
printf '#!/bin/sh\n[ "$1" = --describe ] && exec "%s" --describe\necho "out of luck" >&2; exit 3\n' \
	"${c10k%/*}/servers/poll" >"$work/bare/build/servers/broken"
printf '#!/bin/sh\necho "no idea"\n' >"$work/bare/build/servers/mute"
chmod +x "$work/bare/build/servers/broken" "$work/bare/build/servers/mute"
plan '[plan]\nblocks = 1\nservers = broken, mute, poll\nwarmup = 0\nduration = 100ms\n[throughput]\nconnections = 2\n'
timeout 60 "$work/bare/build/c10k" bench "$work/plan.ini" --unchecked --out "$work/odd" >"$work/out" 2>&1
holds "a broken server fails with its last words: $(cat "$work/out")" \
	grep -q 'broken .*failed: ended before it was ready: exit code 3.*out of luck' "$work/out"
holds 'a mute server fails' grep -q 'mute .*failed: --describe' "$work/out"
holds 'the others are measured' grep -qE 'poll .*(valid|client-limited)' "$work/out"
timeout 60 "$work/bare/build/c10k" bench "$work/plan.ini" --servers broken --out "$work/odd" >"$work/out" 2>&1
[ $? = 4 ] && pass || fail "a run without a valid cell exits 4"
holds 'the conformance check keeps a broken server out' grep -q 'broken .*failed: conformance' "$work/out"

# --- a run, its port taken
plan '[plan]\nblocks = 2\nservers = epoll, select\nwarmup = 0\nduration = 100ms\n[idle]\nconnections = 3\nidle = 0, 2k\ntwin = epoll\n'
"${c10k%/*}/servers/poll" --host 127.0.0.1 --port 22001 >/dev/null 2>&1 &
squatter=$!
timeout 100 "$c10k" bench "$work/plan.ini" --out "$work/results" --seed 1 >"$work/out" 2>"$work/err" </dev/null
[ $? = 0 ] && pass || fail "a run: $(cat "$work/err")"
kill $squatter
run=$work/results/latest
holds "twelve cells: $(cat "$work/out")" grep -q '12 of 12 cells' "$work/out"
holds 'unsupported, with its limit' grep -q 'select .*unsupported: serves at most' "$work/out"
holds 'no colours without a terminal' sh -c "! grep -q '$(printf '\033')' '$work/out'"
holds 'report.html' test -s "$run/report.html"
holds 'report.md' test -s "$run/report.md"
holds 'no log beside the store' sh -c "test -s $run/run.sqlite && ! ls $run/run.sqlite-* 2>/dev/null"
[ "$(wc -l <"$run/cells.csv")" = 13 ] && pass || fail "cells.csv has a row a cell"
wanted=experiment,server,family,connections,idle,rep,verdict,reason,rate_per_s,errors,p50_us,p90_us,p99_us,p99_9_us
wanted=$wanted,max_us,ctx_switches_per_req,ctx_voluntary_per_req,ctx_involuntary_per_req,cpu_user_us_per_req
wanted=$wanted,cpu_sys_us_per_req,runqueue_us_per_req,threads,user_bytes_per_conn,kernel_bytes_per_conn,established
wanted=$wanted,answered,starved,fairness,littles_law_residual,client_cpu,
case $(head -n 1 "$run/cells.csv") in "$wanted"*) pass ;; *) fail "cells.csv: $(head -n 1 "$run/cells.csv")" ;; esac
awk -F, 'NR > 1 && $2 == "epoll" && ($25 != $4 + $5 || $26 != $25 || $10 != 0) { bad = 1 } END { exit bad }' \
	"$run/cells.csv" && pass || fail "epoll: established = answered = asked for, no errors"

# --- open loops: at a rate, at a share of what throughput found
plan '[plan]\nblocks = 2\nservers = epoll, poll\nwarmup = 100ms\nduration = 300ms\n[throughput]\nconnections = 20\n[cost]\nconnections = 20\nrates = 500, 5%\n[latency]\nconnections = 20\nrates = 4%, 300%\nslo = 50ms\n'
timeout 100 "$c10k" bench "$work/plan.ini" --unchecked --out "$work/paced" --seed 1 >"$work/out" 2>"$work/err" </dev/null
holds "a run of cost and latency: $(cat "$work/out" "$work/err")" grep -q '20 of 20 cells' "$work/out"
run=$work/paced/latest
sqlite3 "$run/run.sqlite" "
	WITH capacity AS (SELECT server, rate_per_s AS rate FROM cell WHERE experiment = 'throughput' AND rep = 1)
	SELECT count(*) FROM cell JOIN capacity USING (server) WHERE offered_per_s = CASE
		WHEN experiment = 'latency' THEN round(rate * level_percent / 100)
		WHEN level_percent THEN round((SELECT min(rate) FROM capacity) * level_percent / 100) ELSE level_per_s END" >"$work/count"
[ "$(cat "$work/count")" = 16 ] && pass || fail "$(cat "$work/count") of 16 cells were offered what their level says"
sqlite3 "$run/run.sqlite" "SELECT count(*) FROM cell WHERE level_percent = 300 AND (marks LIKE '%overloaded%'
	OR verdict = 'invalid') AND rate_per_s < offered_per_s" >"$work/count"
[ "$(cat "$work/count")" = 4 ] && pass || fail "$(cat "$work/count") of 4 cells are told to be beyond capacity"
sqlite3 "$run/run.sqlite" "SELECT count(*) FROM cell WHERE offered_per_s > 0 AND verdict = 'valid' AND
	abs(p50_us * 1000 - json_extract(loadgen, '\$.latency_ns.response.p50')) > 1" >"$work/count"
[ "$(cat "$work/count")" = 0 ] && pass || fail "an open loop's latency is no response time"
holds 'the limit is kept' test "$(sqlite3 "$run/run.sqlite" "SELECT value FROM run WHERE key = 'slo_us'")" = 50000
for name in cost cost-latency latency; do holds "$name.tsv" test -s "$run/plots/$name.tsv"; done

plan '[plan]\nblocks = 1\nservers = epoll\nwarmup = 0\nduration = 200ms\n[cost]\nconnections = 5\nrates = 500\n'
timeout 60 "$c10k" bench "$work/plan.ini" --unchecked --out "$work/alone" >"$work/out" 2>"$work/err" </dev/null
holds 'cost alone has a report, valid or not' test -s "$work/alone/latest/report.html"

# --- a batch: hyperfine's own figures, and the number of requests
plan '[plan]\nblocks = 1\nservers = epoll\n[batch]\nconnections = 10\ntotal = 5\n'
expect 2 'plan.ini:4: .*total = 5: give a request to each of 10' "$c10k" bench "$work/plan.ini"
plan '[plan]\nblocks = 1\nservers = epoll\n[batch]\nconnections = 10\ntotal = 2k\n'
valid='^batch *epoll *10 .* s  \(valid\|client-limited\)'
command -v hyperfine >/dev/null || valid='unsupported: hyperfine is not installed: apt-get install hyperfine'
prints "$valid" "$c10k" bench "$work/plan.ini" --unchecked --out "$work/batch"
if command -v hyperfine >/dev/null; then
	awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i } NR == 2 { exit !($at["requests"] == 2000 &&
		$at["batch_min_s"] > 0 && $at["batch_min_s"] <= $at["batch_median_s"] && $at["batch_median_s"] <= $at["batch_max_s"] &&
		$at["batch_min_s"] <= $at["batch_mean_s"] && $at["batch_stddev_s"] >= 0) }' "$work/batch/latest/cells.csv" && pass ||
		fail "times of the batch: $(cat "$work/batch/latest/cells.csv")"
fi

# --- further blocks until all is decided: who only waits is as fast as another who only waits
plan '[plan]\nblocks = 1\nservers = epoll, poll\nwarmup = 0\n[wait]\nconnections = 4\ntarget = /sleep/5\n'
expect 2 'needs a server to compare with' "$c10k" bench "$work/plan.ini" --until-decided
plan '[plan]\nblocks = 1\nservers = epoll, poll\nwarmup = 0\nduration = 100ms\n[wait]\nconnections = 4\ntarget = /sleep/5\ntwin = epoll\n'
prints '1 of 1 comparisons undecided: another block' "$c10k" bench "$work/plan.ini" --unchecked --until-decided --out "$work/until"
holds 'the verdict is told' grep -qE '^  wait .* 4  poll .*(tie|undecided|higher|lower) ' "$work/out"
rows=$(($(wc -l <"$work/until/latest/cells.csv") - 1))
[ "$rows" -ge 9 ] && [ "$rows" -le 90 ] && [ $((rows % 3)) = 0 ] && pass || fail "until decided: $rows rows"
awk -F, 'NR > 1 { n[$6 $2 $31]++ } END { for (k in n) if (n[k] != 1) exit 1 }' "$work/until/latest/cells.csv" && pass ||
	fail "a block has each server once, the reference twice"

# --- on a terminal: no line of more than 80 columns, colours unless NO_COLOR
plan '[plan]\nblocks = 1\nservers = epoll-oneshot, select\nwarmup = 0\nduration = 100ms\n[idle]\nconnections = 4\nidle = 0, 1100\n'
on_terminal() { LC_ALL=C TERM=xterm timeout 60 script -qec "$c10k bench $work/plan.ini --unchecked --out $work/terminal" /dev/null </dev/null; }
on_terminal >"$work/screen"
holds 'colours on a terminal' grep -q "$(printf '\033\\[32mvalid')" "$work/screen"
holds 'a grade and answers' grep -q 'Grade C' "$work/screen"
grep -v "^$work\|^  $work" "$work/screen" | tr '\r' '\n' | sed "s/$(printf '\033')\[[0-9;]*[mK]//g" >"$work/lines"
awk 'length > 80 { print; wide = 1 } END { exit wide }' "$work/lines" && pass || fail 'lines of more than 80 columns'
NO_COLOR=1 on_terminal >"$work/screen"
if grep -q "$(printf '\033\\[[0-9;]*m')" "$work/screen"; then fail 'NO_COLOR'; else pass; fi

# --- a cell whose course in time is kept, and what the source says
plan '[plan]\nblocks = 1\nservers = epoll\nwarmup = 50ms\nduration = 100ms\n[throughput]\nconnections = 1k\n'
timeout 60 "$c10k" bench "$work/plan.ini" --unchecked --out "$work/course" >"$work/out" 2>"$work/err" </dev/null
[ "$(grep -c '^epoll.measure' "$work/course/latest/plots/time.tsv")" = 5 ] && pass || fail "a window of 100 ms has five steps: $(cat "$work/err")"
awk -F'\t' 'NR > 1 { sum += $6 } END { exit !(sum > 100) }' "$work/course/latest/plots/heatmap.tsv" && pass || fail "the heat map has no answers"
holds 'how epoll waits, in the words of its source' grep -q '<strong>How it waits</strong>: each socket' "$work/course/latest/report.html"

# --- a plan out of a pipe, its output into one that ends; then all three files closed; what was measured stays
plan '[plan]\nblocks = 1\nservers = epoll, poll\nwarmup = 0\nduration = 100ms\n[throughput]\nconnections = 2\n'
cat "$work/plan.ini" | "$c10k" bench /dev/stdin --unchecked --out "$work/piped" 2>"$work/err" | head -n 2 >"$work/out"
run=$work/piped/latest
holds "a run whose reader ends: $(cat "$work/err")" test -s "$run/report.html"
sqlite3 "$run/run.sqlite" "UPDATE run SET value = 'partial' WHERE key = 'status'"
prints '0 of 2 planned cells are missing' "$c10k" bench --resume "$run"
"$c10k" bench "$work/plan.ini" --unchecked --out "$work/closed" <&- >&- 2>&-
[ $? = 1 ] && pass || fail 'standard output was closed, and it does not tell'
[ "$(sqlite3 "$work/closed/latest/run.sqlite" "SELECT count(*) FROM cell WHERE verdict != 'failed'")" = 2 ] && pass ||
	fail "closed files: $(cat "$work/closed/latest/cells.csv")"

# --- one run at a time
flock "$work/results/.lock" sh -c 'echo 4711 >"$0/.lock"; sleep 5' "$work/results" &
sleep 0.5
expect 5 'another run, process 4711' "$c10k" bench "$work/plan.ini" --out "$work/results"
wait

# --- Ctrl-C: what is finished stays, the report is written, nothing runs on
plan '[plan]\nblocks = 50\nservers = epoll\nwarmup = 0\nduration = 300ms\n[throughput]\nconnections = 4\n'
# a shell lets its background jobs ignore SIGINT, so SIGTERM stands in for Ctrl-C
"$c10k" bench "$work/plan.ini" --unchecked --out "$work/cut" >"$work/out" 2>"$work/err" &
harness=$!
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	grep -q '^throughput .*epoll' "$work/out" && break
	sleep 0.3
done
sleep 0.4
children=$(children_of $harness)
kill -TERM $harness
wait $harness
[ $? = 143 ] && pass || fail "SIGTERM: exit 143: $(cat "$work/err")"
[ -n "$children" ] && pass || fail "there was nothing to interrupt"
alive=
for child in $children; do kill -0 "$child" 2>/dev/null && alive="$alive $child"; done
[ -z "$alive" ] && pass || fail "still running: $alive"
rows=$(wc -l <"$work/cut/latest/cells.csv")
[ "$rows" -gt 1 ] && [ "$rows" -lt 51 ] && pass || fail "finished cells are kept: $rows rows"
holds 'how to go on is told' grep -q 'bench --resume .* goes on' "$work/out"
holds 'a partial run has a report' test -s "$work/cut/latest/report.html"

# --- it goes on and is killed: nothing is left that tells of fewer cells than there are
"$c10k" bench --resume "$work/cut/latest" >"$work/out" 2>"$work/err" &
harness=$!
tries=0
until grep -q '^throughput .*epoll' "$work/out" || [ $((tries += 1)) = 100 ]; do sleep 0.1; done
kill -KILL $harness
wait $harness 2>/dev/null
prints 'true: everything' "$c10k" verify "$work/cut/latest"

# --- Ctrl-C while the report is drawn goes to all of the terminal's group: it is drawn even so
plan '[plan]\nblocks = 1\nservers = epoll\nwarmup = 0\nduration = 100ms\n[throughput]\nconnections = 1, 4\n[churn]\nconnections = 1\nrequests = 3\n'
setsid "$c10k" bench "$work/plan.ini" --unchecked --out "$work/drawn" >"$work/out" 2>"$work/err" &
harness=$!
tries=0
until set -- "$work"/drawn/*/plots/*.svg* && [ -e "$1" ] || [ $((tries += 1)) = 600 ]; do sleep 0.02; done
kill -TERM -$harness
wait $harness
[ $? = 143 ] && [ ! -s "$work/err" ] && pass || fail "a report interrupted: exit 143, no warning: $(cat "$work/err")"
holds 'the lines of churn tell how many requests a connection has' grep -q '^churn  *epoll  *1 3req ' "$work/out"
prints 'true: everything' "$c10k" verify "$work/drawn/latest"

# --- a full disk: what is there stays, and `latest` is still a run
before=$(readlink "$work/drawn/latest")
expect 1 'run.sqlite: disk' sh -c "trap '' XFSZ; ulimit -f 8; exec '$c10k' bench '$work/plan.ini' --out '$work/drawn'"
holds 'latest is a run' [ "$(readlink "$work/drawn/latest")" = "$before" ]

finish
