#!/bin/sh
# Two made runs against each other: verdicts, the gate, other machines, and why numbers differ.
#   BUILD=build tests/cli/compare.sh
set -u
cd "$(dirname "$0")/../.."
c10k=$PWD/${BUILD:-build}/c10k
command -v sqlite3 >/dev/null || { echo "compare skipped: sqlite3 is not installed"; exit 77; }
. tests/helpers.sh

# run CODE COMMAND...: exit code; output in $work/out, errors in $work/err
run() {
	code=$1
	shift
	timeout 60 "$@" >"$work/out" 2>"$work/err" </dev/null
	got=$?
	[ $got = "$code" ] && pass || fail "$* exits $got, not $code: $(cat "$work/err" "$work/out")"
}
# says PATTERN: on standard output; complains PATTERN: one line on standard error
says() { if grep -q -- "$1" "$work/out"; then pass; else fail "'$1' is not in: $(cat "$work/out")"; fi; }
lacks() { if grep -q -- "$1" "$work/out"; then fail "'$1' is in: $(cat "$work/out")"; else pass; fi; }
complains() {
	if [ "$(wc -l <"$work/err")" = 1 ] && grep -q -- "$1" "$work/err"; then pass
	else fail "'$1' is not what it says: $(cat "$work/err")"; fi
}
# make NAME SQL: a run; the SQL changes it
make() {
	rm -rf "$work/$1" && mkdir "$work/$1"
	{ cat harness/schema.sql tests/report/store.sql; echo "$2"; } | sqlite3 "$work/$1/run.sqlite" || exit 1
}
make before ''

# --- words that are wrong
run 2 "$c10k" compare "$work/before"
complains 'give the folders of two runs'
run 2 "$c10k" compare "$work/before" "$work/before" --threshold lots
complains '--threshold lots: give a percentage'
run 2 "$c10k" compare "$work/before" "$work/before" --fast
complains 'unknown option --fast'
run 2 "$c10k" compare "$work/before" "$work/none"
run 2 "$c10k" diff-env "$work/before"
complains 'give the folders of two runs'

# --- a run is a tie with itself
run 0 "$c10k" compare "$work/before" "$work/before"
says 'thread .*1.00x \[1.00, 1.00\] *tie'
says 'Nothing is worse by more than 5% with its whole interval'
lacks 'slower'
lacks 'differs:'
says '^stream, clients: 100, 16 in flight each$'
awk 'length > 80' "$work/out" | grep -v '^[AB] ' | grep -q . && fail "wider than 80 columns" || pass

# --- a server that became slower by 20%: named, and the gate closes; faster ones do not close it
make slower "UPDATE cell SET rate_per_s = rate_per_s * 0.8, p99_us = p99_us * 1.3 WHERE server = 'thread';
	UPDATE cell SET rate_per_s = rate_per_s * 1.5 WHERE server = 'select'"
run 3 "$c10k" compare "$work/before" "$work/slower" --markdown "$work/c.md" --html "$work/c.html"
says 'thread .*requests/s *50.1k *40.1k *0.80x \[0.80, 0.80\] *slower !'
says 'thread .*p99 .*1.30x \[1.30, 1.30\] *slower !'
says 'select .*1.50x \[1.50, 1.50\] *faster$'
says '[0-9] regressions: worse by more than 5%'
run 0 "$c10k" compare "$work/before" "$work/slower" --threshold 35
says 'thread .*0.80x .*slower$'
says 'Nothing is worse by more than 35%'
grep -q '^| *10,000 | thread *| requests/s *| \*\*slower\*\* (regression) *| 0.80x \[0.80, 0.80\] ' "$work/c.md" && pass ||
	fail "the Markdown: $(cat "$work/c.md")"
grep -q '<td class="worse"><strong>slower' "$work/c.html" && pass || fail "the page has the verdict"
grep -q 'prefers-color-scheme: dark' "$work/c.html" && pass || fail "the page is light or dark"
grep -qE '(src|href)="(https?:)?//|NaN|nan' "$work/c.html" && fail "the page is not self-contained" || pass
run 1 "$c10k" compare "$work/before" "$work/slower" --markdown "$work/none/c.md"
complains 'cannot write'

# --- what the other way round would say
run 0 "$c10k" compare "$work/slower" "$work/before" --threshold 40
says 'thread .*1.25x \[1.25, 1.25\] *faster'

# --- noise: two blocks up, one down; and a difference that the A/A pair shows, too
make noise "UPDATE cell SET rate_per_s = rate_per_s * CASE rep WHEN 2 THEN 0.7 ELSE 1.2 END WHERE server = 'select'"
run 0 "$c10k" compare "$work/before" "$work/noise"
says 'select .*undecided'
make twins "UPDATE cell SET rate_per_s = rate_per_s * 0.9 WHERE server = 'thread';
	UPDATE cell SET rate_per_s = rate_per_s * 1.2 WHERE twin = 1"
run 0 "$c10k" compare "$work/before" "$work/twins"
says 'thread .*50.1k .*0.90x \[0.90, 0.90\] *undecided'

run 0 "$c10k" compare "$work/twins" "$work/before" # whichever of the two runs shows it
says 'thread .*50.1k *1.11x \[1.11, 1.11\] *undecided'
lacks faster

# --- each measure has a direction of its own; faster, cheaper and smaller close no gate
batch="INSERT INTO cell (experiment, server, target, connections, idle, rep, position, started_at, verdict, batch_mean_s)
	SELECT 'batch', server, '/', 100, 0, rep, 400 + position, started_at, 'valid', 0.5 FROM cell
	WHERE experiment = 'memory' AND twin = 0;"
make light "$batch"
make heavy "$batch UPDATE cell SET cpu_user_us_per_req = cpu_user_us_per_req * 1.3, cpu_sys_us_per_req = cpu_sys_us_per_req * 1.3
	WHERE server = 'thread' AND experiment = 'cost';
	UPDATE cell SET user_bytes_per_conn = user_bytes_per_conn * 3 WHERE server = 'thread';
	UPDATE cell SET batch_mean_s = 0.8 WHERE server = 'thread'"
run 3 "$c10k" compare "$work/light" "$work/heavy"
says 'thread .*1.30x \[1.30, 1.30\] *dearer !'
says 'thread .*2.38x \[2.38, 2.38\] *larger !'
says 'thread .*1.60x \[1.60, 1.60\] *slower !'
says '^4 regressions' # cost has two loads
run 0 "$c10k" compare "$work/heavy" "$work/light"
for word in cheaper smaller faster; do says "thread .* $word\$"; done

# --- worse in every block, yet not by more than 5% with the whole interval
make edge "UPDATE cell SET rate_per_s = rate_per_s * CASE rep WHEN 1 THEN 0.945 WHEN 2 THEN 0.955 ELSE 0.946 END
		WHERE server = 'select' AND experiment = 'throughput';
	UPDATE cell SET cpu_user_us_per_req = cpu_user_us_per_req * CASE rep WHEN 1 THEN 1.055 WHEN 2 THEN 1.045 ELSE 1.054 END,
		cpu_sys_us_per_req = cpu_sys_us_per_req * CASE rep WHEN 1 THEN 1.055 WHEN 2 THEN 1.045 ELSE 1.054 END
		WHERE server = 'select' AND experiment = 'cost'"
run 0 "$c10k" compare "$work/before" "$work/edge"
says 'select .*0.95x \[0.95, 0.95\] *slower$'
says 'select .*1.05x \[1.04, 1.06\] *dearer$'

# --- latency at a share of each run's own capacity: the rates differ, and it with them
make ramp "UPDATE cell SET p99_us = p99_us * 3 WHERE level_percent > 0"
run 0 "$c10k" compare "$work/before" "$work/ramp"
lacks slower

# --- another number of requests in flight is another load
make shallow "UPDATE cell SET pipeline = 8 WHERE experiment = 'stream'"
run 0 "$c10k" compare "$work/before" "$work/shallow"
says 'only in A: 6, only in B: 6'
lacks '^stream'

# --- a pass that counts system calls is no measure of speed
make counted "UPDATE cell SET rate_per_s = 1e5 WHERE experiment = 'ledger'"
run 0 "$c10k" compare "$work/counted" "$work/counted"
lacks '^ledger'

# --- what failed is no success
make lost "UPDATE cell SET verdict = 'failed', rate_per_s = NULL WHERE server = 'select' AND experiment = 'throughput'"
run 3 "$c10k" compare "$work/before" "$work/lost"
says 'select .* - .*failed !'

# --- a run that was cut off says so beside its name
make cut "DELETE FROM cell WHERE rep > 2; UPDATE run SET value = 'partial' WHERE key = 'status'"
run 0 "$c10k" compare "$work/before" "$work/cut"
says '^A  before: .*[0-9]$'
says '^B  cut: .*, not complete: [0-9]* of [0-9]* planned cells$'

# --- another machine: not without --normalise, and then by each run's own epoll
make there "UPDATE run SET value = 'another CPU' WHERE key = 'cpu_model';
	UPDATE cell SET rate_per_s = rate_per_s * 1.6 WHERE server != 'thread'; -- thread gains nothing there
	UPDATE cell SET p99_us = p99_us / 2"
run 2 "$c10k" compare "$work/before" "$work/there"
complains 'not the same machine (CPU): add --normalise'
run 3 "$c10k" compare "$work/before" "$work/there" --normalise
says 'thread .*0.50 *0.31 *0.62x \[0.62, 0.62\] *slower !'
says 'select .*0.90 *0.90 *1.00x \[1.00, 1.00\] *tie'
lacks '^  epoll'
make drifted "UPDATE run SET value = 'another CPU' WHERE key = 'cpu_model';
	UPDATE cell SET rate_per_s = rate_per_s * CASE rep WHEN 2 THEN 0.5 ELSE 1.6 END" # a share is that of its own block
run 0 "$c10k" compare "$work/before" "$work/drifted" --normalise
says 'select .*0.90 *0.90 *1.00x \[1.00, 1.00\] *tie'
says 'select .*0.90 *0.90 *1.00x \[1.00, 1.00\] *not ranked' # where epoll's is a lower bound
lacks 'requests/s .*x \[0'
make alone "DELETE FROM cell WHERE server = 'epoll'"
run 2 "$c10k" compare "$work/before" "$work/alone" --normalise
complains 'has no figures of epoll'

# --- why numbers differ
run 0 "$c10k" diff-env "$work/before" "$work/before"
says '^0 differ, [1-9][0-9]* are equal'
make changed "UPDATE run SET value = 'Linux 7' WHERE key = 'kernel'; UPDATE run SET value = '{\"libev\": \"4.34\"}' WHERE
	key = 'libraries'; UPDATE run SET value = '[plan]' || char(10) || 'blocks = 9' WHERE key = 'plan_text';
	INSERT INTO run VALUES ('sha256 servers/poll', 'abcd'); UPDATE server SET max_connections = 64 WHERE name = 'thread'"
run 0 "$c10k" diff-env "$work/before" "$work/changed"
says 'kernel *A  Linux 6'
says ' B  Linux 7'
says 'libev *A  4.33'
says 'servers/poll *A  -'
says 'B  64 connections'
says '    B blocks = 9'
says '^5 differ'
lacks 'CPU model'

finish
