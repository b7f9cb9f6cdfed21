#!/bin/sh
# A report from a small made run: whole, harmless whatever the store holds, the same twice, and without gnuplot.
#   BUILD=build tests/report/report.sh
set -u
cd "$(dirname "$0")/../.."
c10k=$PWD/${BUILD:-build}/c10k
. tests/helpers.sh

# lacks WHAT COMMAND...: the command does not succeed
lacks() { what=$1; shift; if "$@" >/dev/null 2>&1; then fail "$what"; else pass; fi; }
sum() { (cd "$work/run" && find . -type f ! -name '*.sqlite*' -exec cksum {} + | sort); }

command -v sqlite3 >/dev/null || { echo "report skipped: sqlite3 is not installed"; exit 77; }
mkdir "$work/run"
cat harness/schema.sql tests/report/store.sql | sqlite3 "$work/run/run.sqlite" || exit 1
html=$work/run/report.html md=$work/run/report.md

if command -v gnuplot >/dev/null; then
	holds "the report is made" timeout 60 "$c10k" report "$work/run"
	sum >"$work/first"
	holds "it is made again" timeout 60 "$c10k" report "$work/run"
	sum >"$work/second"
	holds "twice the same" cmp "$work/first" "$work/second"
	for name in throughput idle switches cpu cost cost-latency latency memory wait stream syscalls time heatmap code percentiles-10 \
		percentiles-1000 percentiles-10000; do
		for extension in gp tsv svg; do holds "$name.$extension is there" test -s "$work/run/plots/$name.$extension"; done
	done
	holds "a figure is drawn again alone" sh -c "cd '$work/run/plots' && rm idle.svg && gnuplot idle.gp && test -s idle.svg"
	rm "$work/run/plots/cpu.tsv"
	holds "without its data a figure is a labelled frame" sh -c "cd '$work/run/plots' && gnuplot cpu.gp && grep -q 'no data' cpu.svg"
	count=$(grep -c 'role="img"' "$html")
	[ "$count" -ge 10 ] && pass || fail "$count figures in the page"
	holds "the hockey stick stands on the rate it was measured at" grep -q '^epoll	p99	150000	400000' "$work/run/plots/latency.tsv"
	holds "a rate that nobody knows is blank" grep -q '^select	total		' "$work/run/plots/cost.tsv"
	for server in thread select epoll; do
		holds "$server has a panel in the heat map" grep -q "<text>$server</text>" "$work/run/plots/heatmap.svg"
	done
	holds "of a single load each server has a row" grep -q "^layout = 'rows.gp'" "$work/run/plots/memory.gp"
	holds "its value is written there" grep -q '<text>8.79 KiB</text>' "$work/run/plots/memory.svg"
	lacks "several loads in rows" grep -q "^layout = 'rows.gp'" "$work/run/plots/throughput.gp"
	[ "$(grep -c "opacity='0.00'" "$work/run/plots/time.svg")" -lt 100 ] && pass || fail "time.svg hides marks that nobody can point at"
	holds "requests in flight are told at the axis" grep -q 'connections, 16 requests in flight on each' "$work/run/plots/stream.svg"
	lacks "elsewhere there is one" grep -q 'in flight on each' "$work/run/plots/throughput.svg"
	holds "client-limited is told in the data" grep -q 'client-limited' "$work/run/plots/throughput.tsv"
else
	echo "figures skipped: gnuplot is not installed"
fi

# the same with a PATH in which there is no gnuplot
mkdir "$work/empty"
PATH=$work/empty "$c10k" report "$work/run" >"$work/out" 2>"$work/err" && pass || fail "a report without gnuplot fails"
holds "it says what to install" grep -q 'apt-get install gnuplot-nox' "$work/err"
holds "the page says it, too" grep -q 'apt-get install gnuplot-nox' "$html"
holds "no figure is left behind" sh -c "! ls '$work'/run/plots/*.svg"

for id in grade answers reading setup health figures servers conformance cells reproduce coursework; do
	holds "section $id" grep -q "<h2 id=\"$id\">" "$html"
done
holds "the Markdown has all sections" test "$(grep -c '^## [0-9]' "$md")" = 11
for file in "$html" "$md"; do
	lacks "NaN in $file" grep -qiE '(^|[^a-z])-?(nan|inf)([^a-z]|$)' "$file"
	holds "threads rank behind in $file" grep -q '0.50x \[0.50, 0.50\]' "$file"
	holds "a bound in $file" grep -qE '(>=|&gt;=) 100k' "$file"
	holds "a request's system calls in $file" grep -q 'System calls of a request at 1,000 connections: 2.10' "$file"
	holds "and of two blocks in $file" grep -q 'System calls of a request at 1,000 connections: 2.15' "$file"
	holds "a thread in $file" grep -q '50 ms: 1 thread, 3 context switches. On average 0.60 ran, and 0.30 could have' "$file"
	holds "no threads, and why, in $file" grep -q 'No threads recorded .*not .*permitted' "$file"
	holds "a failing case in $file" grep -q 'case-2' "$file"
	holds "equal work in $file" sh -c "grep -A 3 'At equal work, 10.0k requests/s ' '$file' | grep -q '^\(<li>\|- \)Against it: .*thread'"
	holds "why few blocks do not decide in $file" grep -q "differ too much from one another for the sign test or Student's t" "$file"
	holds "the SLO in $file" grep -qE 'answered within 10.0ms .*90.0k/s.* \(90%\)' "$file"
	holds "the next rate in $file" grep -q '150k (150%)' "$file"
	holds "requests in flight in $file" grep -qE '16 requests in flight a connection(</strong>|\*\*): they are sent at once' "$file"
	holds "the figure's title in $file" grep -q '64 KiB an answer, 16 requests in flight a connection' "$file"
	holds "the load of a point in $file" grep -q '100, 16 in flight each' "$file"
	holds "what is not fitted in $file" grep -q 'No scalability law is fitted' "$file"
	holds "the ledger's load in $file" grep -q 'with up to 1,000 busy connections' "$file"
	holds "the starved in $file" grep -q '2,002 \[2,001, 2,003\].* of them without one of its 50,[0-9]* answers' "$file"
done
# a table as GitHub's Markdown wants it: an empty line, a head, a line of dashes, and as many cells in each row
if awk '
	function cells(line) { gsub(/\\./, "", line); gsub(/`[^`]*`/, "", line); return gsub(/\|/, "", line) }
	/^\|/ && !rows { if (before != "") bad = bad "\nno empty line before: " $0; wanted = cells($0); tables++ }
	/^\|/ { rows++; if (cells($0) != wanted) bad = bad "\nanother number of cells: " $0
		if (rows == 2 && $0 !~ /^\|( :?-+:? \|)+$/) bad = bad "\nno line of dashes: " $0 }
	!/^\|/ { rows = 0 }
	{ before = $0 }
	END { if (bad != "" || tables < 5) { print tables " tables" bad; exit 1 } }' "$md" >"$work/tables"; then pass
else fail "tables of the Markdown: $(cat "$work/tables")"; fi
lacks "the store writes HTML" grep -qE '<script>alert|<models>|<x>|<b>, ' "$html"
lacks "the page asks the network" grep -qE '(src|href)="(https?:)?//' "$html"
holds "a source says how it waits" grep -q '<strong>Cost</strong>: a &lt;b&gt;stack&lt;/b&gt; \[x\](y)' "$html"
# select did not do the load with idle connections: what it did without is nothing beside idle ones
[ "$(grep -c '^- requests/s beside idle: .*(at 100 + 10,000 idle)$' "$md")" = "$(grep -c '^- requests/s beside idle' "$md")" ] && pass ||
	fail "a figure beside idle connections without any: $(grep '^- requests/s beside idle' "$md")"
# two cells share a reason and each has one of its own
[ "$(sed -n '/^Why some values are blank/,/^## 9/p' "$md" | grep '^- ' | sort | tr '\n' ';')" = \
	"- p99_9_us: too few samples;- rate_per_s: held, not measured;- threads: unknown;" ] && pass ||
	fail "reasons for blanks: $(sed -n '/^Why some values are blank/,/^## 9/p' "$md")"
holds "the command can be typed as it stands" grep -q '^    build/c10k bench ' "$md"
holds "a question for learners" grep -q '10,000 connections are busy. How often' "$md"
holds "limits have their reasons" grep -q 'select serves at most 1019 connections' "$html"

mkdir "$work/none"
lacks "a folder without a run" "$c10k" report "$work/none"
"$c10k" report "$work/none" 2>"$work/err"
[ "$(wc -l <"$work/err")" = 1 ] && pass || fail "a folder without a run says more or less than one line"
"$c10k" report >/dev/null 2>&1
[ $? = 2 ] && pass || fail "no folder is a usage error"
echo "UPDATE server SET name = 'a b' WHERE name = 'epoll'" | sqlite3 "$work/run/run.sqlite"
lacks "a server's name that no script may hold" "$c10k" report "$work/run"

finish
