#!/bin/sh
# Experiments that are not one load at several sizes: that each measures what it is about, on a small run.
#   BUILD=build tests/cli/experiments.sh
set -u
cd "$(dirname "$0")/../.."
build=$PWD/${BUILD:-build}
. tests/helpers.sh

# bench SECTION: runs a plan of one short block; its cells are then in cells.csv, by column name with `value`
bench() {
	printf '[plan]\nblocks = 1\nwarmup = 100ms\nduration = 1s\n%b\n' "$1" >"$work/plan.ini"
	timeout 100 "$build/c10k" bench "$work/plan.ini" --unchecked --seed 1 --out "$work/results" >"$work/out" 2>&1
	case $? in
	0 | 4) ;; # 4: a busy machine has spoilt every cell; what was measured stands there all the same
	*) fail "bench: $(cat "$work/out")" ;;
	esac
	run=$work/results/latest
}
# plain: cells.csv without what is quoted, in which commas may stand
plain() { sed 's/"[^"]*"//g' "$run/cells.csv"; }
# value COLUMN KEY=VALUE...: of the first cell that has these values
value() {
	plain | awk -F, -v wanted="$*" '
	NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; count = split(wanted, want, " "); next }
	{
		for (i = 2; i <= count; i++) {
			split(want[i], pair, "=")
			if ($column[pair[1]] != pair[2]) next
		}
		print $column[want[1]]
		exit
	}'
}
# over A FACTOR B: A > FACTOR x B, all given
over() { awk -v a="$1" -v f="$2" -v b="$3" 'BEGIN { exit !(a != "" && b != "" && a > f * b) }'; }

# --- slow: the places of a pool are kept by those who are slow, a thread for each is not felt
bench 'servers = thread, threadpool\n[slow]\nconnections = 100\nslow = 0, 150\nrate = 500\n'
alone=$(value p50_us server=threadpool slow=0) beside=$(value p50_us server=threadpool slow=150)
over "$beside" 10 "$alone" && pass || fail "slow clients starve a pool: median $alone us, beside them $beside us"
over 100000 1 "$(value p50_us server=thread slow=150)" && pass || fail "slow clients are felt by threads: $(cat "$work/out")"
[ "$(value errors server=threadpool slow=150)" = 0 ] && pass || fail "slow clients are errors: $(cat "$work/out")"
holds 'the figure of slow' test -s "$run/plots/slow.tsv"

# --- stream: sixteen requests in flight, each answer verified; a place that is handed on after one has no part in it
bench 'servers = iterative?, thread, epoll, prefork, nginx?\n[stream]\nduration = 300ms\nconnections = 1, 70\n'
grep -qE '^stream +epoll +70\*16 ' "$work/out" && pass || fail "the row of a cell: $(cat "$work/out")"
count() { sqlite3 "$run/run.sqlite" "SELECT count(*) FROM cell WHERE $1"; }
if command -v sqlite3 >/dev/null; then
	measured="verdict IN ('valid', 'client-limited', 'invalid')"
	[ "$(count "NOT (pipeline = 16 AND target = '/bytes/65536')")" = 0 ] && pass || fail "stream is 16 deep: $(cat "$run/cells.csv")"
	for server in thread epoll nginx iterative; do
		[ -x "$build/servers/$server" ] || continue
		for n in 1 70; do
			[ $server$n != iterative70 ] || continue
			[ "$(count "server = '$server' AND connections = $n AND $measured AND requests > 100 AND errors = 0 AND
				json_extract(loadgen, '\$.config.pipeline') = 16 AND littles_law_residual IS NULL AND
				json_extract(loadgen, '\$.bytes.received') BETWEEN requests * 65536 AND requests * 66000")" = 1 ] && pass ||
				fail "$server with $n: $(cat "$work/out")"
		done
	done
	[ "$(count "server IN ('prefork', 'iterative') AND connections = 70 AND verdict = 'unsupported' AND
		reason LIKE 'serves at most %'")" = "$(count "server IN ('prefork', 'iterative') AND connections = 70")" ] && pass ||
		fail "places for fewer: $(cat "$work/out")"
	[ "$(count "server = 'prefork' AND connections = 1 AND errors = 0 AND requests > 100")" = 1 ] && pass || fail "prefork: $(cat "$work/out")"
	# a cell that is missing is found again by it
	[ "$(awk -F, 'NR == 1 { print $NF }' "$run/cells.csv")" = pipeline ] && pass || fail "cells.csv: $(head -n 1 "$run/cells.csv")"
	sqlite3 "$run/run.sqlite" "DELETE FROM cell WHERE server = 'epoll' AND connections = 1;
		DELETE FROM raw WHERE cell_id NOT IN (SELECT id FROM cell); UPDATE run SET value = 'partial' WHERE key = 'status'"
	timeout 60 "$build/c10k" bench --resume "$run" >"$work/out" 2>&1
	grep -q ' 1 of [0-9]* planned cells are missing' "$work/out" && [ "$(count "server = 'epoll' AND connections = 1 AND pipeline = 16")" = 1 ] &&
		pass || fail "resumed: $(cat "$work/out")"
	"$build/c10k" verify "$run" >"$work/out" 2>&1 && pass || fail "a pipelined run is not true: $(cat "$work/out")"
fi
holds 'requests in flight are told' grep -q '16 requests in flight a connection' "$run/report.md"
# of four that are sent together and wait for 10 ms one after the other the mean waits for 25
bench 'servers = epoll\n[wait]\nconnections = 2\ntarget = /sleep/10\npipeline = 4\n'
over "$(value mean_us pipeline=4)" 1 24000 && over 30000 1 "$(value mean_us pipeline=4)" && pass ||
	fail "latency is from the sending of all: $(cat "$work/out" "$run/cells.csv")"

# --- file: warm is all in the page cache, cold nothing; what is read direct leaves nothing there
"${MAKE:-make}" -s BUILD="$build" data || exit 1
bench 'servers = epoll, linux-aio\n[file]\nduration = 300ms\nconnections = 10\ncache = warm, cold\n'
over "$(value cached_start cache=warm)" 0.98 1 && pass || fail "warm is not warm: $(cat "$run/cells.csv")"
if grep -q 'in the page cache after it was dropped' "$run/cells.csv"; then
	skip "file, cold: this file system keeps what it has"
else
	[ "$(value cached_start cache=cold)" = 0 ] && pass || fail "cold is not cold: $(cat "$run/cells.csv")"
	over "$(value cached_end cache=cold server=epoll)" 1 0.001 && pass || fail "reading leaves nothing in the cache"
	over 0.001 1 "$(value cached_end cache=cold server=linux-aio)" && pass || fail "O_DIRECT leaves pages in the cache"
	holds 'figures of their own' test -s "$run/plots/file.tsv" -a -s "$run/plots/file-cold.tsv"
fi

# --- scaling: the second track; a model of one loop has no part in it
bench 'servers = epoll, prefork, tokio-current?\n[scaling]\nduration = 300ms\nconnections = 20\n'
most=$(plain | awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "cpus") at = i } NR > 1 && $at > most { most = $at } END { print most }')
[ "$most" = "$(nproc)" ] && pass || fail "scaling ends at $most of $(nproc) CPUs"
if [ "$most" -gt 1 ]; then
	for server in epoll prefork; do
		over "$(value rate_per_s server=$server "cpus=$most")" 1 0 && pass || fail "$server on $most CPUs: $(cat "$work/out")"
	done
	[ "$(value threads server=epoll cpus=1) $(value threads server=epoll "cpus=$most")" = "1 $most" ] && pass ||
		fail "epoll has a worker for each CPU: $(cat "$run/cells.csv")"
	case "$(value verdict server=tokio-current "cpus=$most")" in
	unsupported | '') pass ;;
	*) fail "one loop on $most CPUs: $(cat "$work/out")" ;;
	esac
	holds 'the line of linear speed-up' grep -q linear "$run/plots/scaling.tsv"
fi

finish
