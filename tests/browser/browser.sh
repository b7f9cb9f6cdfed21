#!/bin/sh
# The report in a browser: made runs with three servers and with twelve, opened at three widths, clicked in, printed.
#   BUILD=build tests/browser/browser.sh
set -u
cd "$(dirname "$0")/../.."
c10k=$PWD/${BUILD:-build}/c10k
. tests/helpers.sh

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
	{ echo "browser skipped: chromium is not installed"; exit 77; }
for program in sqlite3 gnuplot; do
	command -v $program >/dev/null || { echo "browser skipped: $program is not installed"; exit 77; }
done
# see ARGUMENTS...: headless, with a profile of its own; what pages print on their console is on standard error
see() {
	timeout 50 "$browser" --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
		--disable-component-update --disable-sync --disable-dev-shm-usage --hide-scrollbars \
		--allow-file-access-from-files --user-data-dir="$work/profile" --enable-logging=stderr "$@"
}
echo '<p>it runs' >"$work/probe.html"
see --dump-dom "file://$work/probe.html" 2>"$work/err" | grep -q 'it runs' ||
	{ echo "browser skipped: $browser cannot run here: $(tail -n 1 "$work/err")"; exit 77; }

# make_run NAME COPIES: a run of tests/report/store.sql, with so many copies of its server epoll
make_run() {
	mkdir "$work/$1"
	{
		cat harness/schema.sql tests/report/store.sql
		i=0
		while [ $i -lt "$2" ]; do
			i=$((i + 1))
			for table in server cell; do
				column=$([ $table = server ] && echo name || echo server)
				echo "CREATE TEMP TABLE copy AS SELECT * FROM $table WHERE $column = 'epoll';"
				echo "UPDATE copy SET $column = 'copy-$i';"
				[ $table = server ] || echo "UPDATE copy SET id = id + $i * 1000, twin = 0, rate_per_s = rate_per_s * 0.9$i WHERE twin = 0;
					DELETE FROM copy WHERE id < 1000;"
				echo "INSERT INTO $table SELECT * FROM copy; DROP TABLE copy;"
			done
			# the last has the longest name, and only bounds
			[ $i -lt "$2" ] || echo "UPDATE server SET family = 'reference' WHERE name = 'copy-$i';
				UPDATE cell SET verdict = 'client-limited' WHERE server = 'copy-$i';"
		done
	} | sqlite3 "$work/$1/run.sqlite" && "$c10k" report "$work/$1" >/dev/null
}

# drive NAME: opens its report and clicks
drive() {
	sed "s|REPORT|file://$work/$1/report.html|" tests/browser/drive.html >"$work/$1.html"
	see --virtual-time-budget=60000 --window-size=1300,1000 --dump-dom "file://$work/$1.html" >"$work/$1.dom" 2>"$work/$1.err"
	passed=$((passed + $(grep -c '^\(<pre id="results">\)\?ok: ' "$work/$1.dom")))
	grep 'FAILED: ' "$work/$1.dom" >"$work/bad" && failed=$((failed + $(wc -l <"$work/bad"))) && sed "s/^/$1: /" "$work/bad"
	grep -q '^done' "$work/$1.dom" && pass || fail "$1: the driver did not come to its end"
	grep CONSOLE "$work/$1.err" >"$work/console" && fail "$1: the console says $(cat "$work/console")" || pass
}

# print NAME: as paper
print() {
	see --print-to-pdf="$work/$1.pdf" --no-pdf-header-footer "file://$work/$1/report.html" 2>/dev/null >&2
	[ "$(head -c 5 "$work/$1.pdf")" = %PDF- ] && [ "$(wc -c <"$work/$1.pdf")" -gt 50000 ] && pass || fail "$1 does not print"
}

make_run few 0 && pass || fail "a run of three servers has no report"
make_run many 9 && pass || fail "a run of twelve servers has no report"
holds "a bound is written as one in its panel" grep -q '^copy-9.*	>= [0-9.]*k$' "$work/many/plots/throughput.gp"
drive few
drive many
print many
finish
