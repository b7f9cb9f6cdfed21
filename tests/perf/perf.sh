#!/bin/bash
# Two ratios that this project stands on, each from one run on one machine:
#   the load generator's CPU time a request over wrk's, on the epoll server; beside both what a client
#   over epoll costs that does nothing but ask (bare_client.c): the kernel's share, which none can save;
#   the epoll server's CPU time a request over nginx's, under the load generator.
# Figures and targets, no verdict: a busy machine must not fail a build. Server on one CPU, client on
# another; the two sides of a ratio alternate, and what is printed is the median of paired ratios.
#   [BUILD=build] [ROUNDS=5] [SECONDS_EACH=3] [PORT=18080] tests/perf/perf.sh
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
rounds=${ROUNDS:-5}
each=${SECONDS_EACH:-3}
port=${PORT:-18080}
server_cpu=0 client_cpu=1
url=http://127.0.0.1:$port/
work=$build/perf
mkdir -p "$work"
server_pid=
trap stop_server EXIT

die() { echo "perf: $*" >&2; exit 1; }
stop_server() {
	[ -n "$server_pid" ] && kill "$server_pid" 2>/dev/null && wait "$server_pid" 2>/dev/null
	server_pid=
}
# start_server COMMAND...: on its CPU, until it answers
start_server() {
	stop_server
	taskset -c $server_cpu "$@" 2>"$work/server.log" >&2 &
	server_pid=$!
	for _ in $(seq 100); do
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return
		sleep 0.05
	done
	die "$1 does not serve: $(tail -1 "$work/server.log")"
}

# CPU time of the server so far, in us: all its tasks
server_us() { cat "/proc/$server_pid/task/"*/schedstat | awk '{ ns += $1 } END { printf "%.0f", ns / 1000 }'; }

# Each sets: requests, cpu_us (user and system, the whole process), rate
timed() { # COMMAND...
	local TIMEFORMAT='%U %S'
	{ time taskset -c $client_cpu "$@" >"$work/out" 2>"$work/err"; } 2>"$work/time"
	cpu_us=$(awk '{ printf "%.0f", ($1 + $2) * 1e6 }' "$work/time")
}
number() { sed -n "s/.*\"$1\": \([0-9.]*\).*/\1/p" "$work/out" | head -1; }
run_loadgen() { # CONNECTIONS
	timed "$build/loadgen" -c "$1" -w 0 -d "$each" --json - "$url"
	requests=$(($(number lifetime) - $(number in_flight_at_end)))
	rate=$(number rate_per_s)
	[ "$requests" -gt 0 ] || die "loadgen: $(cat "$work/err")"
}
run_bare() {
	timed "$build/perf/bare_client" "$port" "$1" "$each"
	requests=$(cat "$work/out")
	[ "${requests:-0}" -gt 0 ] || die "bare_client: $(cat "$work/err")"
}
run_wrk() {
	timed wrk -t 1 -c "$1" -d "${each}s" "$url"
	requests=$(awk '/requests in/ { print $1 }' "$work/out")
	rate=$(awk '/^Requests\/sec/ { print $2 }' "$work/out")
	[ "${requests:-0}" -gt 0 ] || die "wrk: $(cat "$work/err")"
}

divide() { awk "BEGIN { printf \"%.4f\", $1 / $2 }"; }
median() { sort -g | awk '{ x[NR] = $1 } END { printf "%.2f", NR % 2 ? x[(NR + 1) / 2] : (x[NR / 2] + x[NR / 2 + 1]) / 2 }'; }
column() { awk "{ print \$$1 }" "$work/rounds"; }

# --- the load generator against wrk ---
start_server "$build/servers/epoll" --host 127.0.0.1 --port "$port"
if command -v wrk >/dev/null; then
	echo "client CPU us a request (user + system of the whole process), on servers/epoll, $rounds rounds of $each s"
	echo "connections  loadgen    bare     wrk   loadgen/wrk  target  bare/wrk  loadgen/bare   requests/s over wrk's"
	for size in 64:0.75 1000:0.62 10000:0.62; do
		connections=${size%:*}
		: >"$work/rounds"
		for _ in $(seq "$rounds"); do
			run_loadgen "$connections"
			ours=$(divide "$cpu_us" "$requests") our_rate=$rate
			run_bare "$connections"
			bare=$(divide "$cpu_us" "$requests")
			run_wrk "$connections"
			theirs=$(divide "$cpu_us" "$requests")
			echo "$ours $bare $theirs $(divide "$ours" "$theirs") $(divide "$bare" "$theirs")" \
				"$(divide "$ours" "$bare") $(divide "$our_rate" "$rate")" >>"$work/rounds"
		done
		printf '%11s  %7s %7s %7s  %12s  <= %s  %8s  %12s  %22s\n' "$connections" "$(column 1 | median)" \
			"$(column 2 | median)" "$(column 3 | median)" "$(column 4 | median)" "${size#*:}" \
			"$(column 5 | median)" "$(column 6 | median)" "$(column 7 | median)"
	done
else
	echo "skipped: load generator against wrk, which needs the package wrk"
fi

# --- the epoll server against nginx ---
nginx=$(PATH=$PATH:/usr/sbin command -v nginx)
if [ -z "$nginx" ]; then
	echo "skipped: epoll against nginx, which needs the package nginx-light (Debian starts it as a service:" \
		"systemctl disable --now nginx)"
	exit 0
fi
sed "s/@PORT@/$port/" tests/perf/nginx.conf >"$work/nginx.conf"
measure_server() { # COMMAND...: sets us_a_request
	local before
	start_server "$@"
	before=$(server_us)
	run_loadgen 1000
	us_a_request=$(divide $(($(server_us) - before)) "$requests")
}
: >"$work/rounds"
for _ in $(seq "$rounds"); do
	measure_server "$build/servers/epoll" --host 127.0.0.1 --port "$port"
	ours=$us_a_request our_rate=$rate
	measure_server "$nginx" -p "$PWD/$work" -c "$PWD/$work/nginx.conf"
	echo "$ours $us_a_request $(divide "$ours" "$us_a_request") $(divide "$our_rate" "$rate")" >>"$work/rounds"
done
echo
echo "server CPU us a request, 1000 connections from loadgen, $rounds rounds of $each s"
echo "connections    epoll    nginx   ratio  target   requests/s ratio"
printf '%11s  %7s  %7s  %6s  <= 0.85  %16s\n' 1000 "$(column 1 | median)" "$(column 2 | median)" \
	"$(column 3 | median)" "$(column 4 | median)"
