#!/bin/bash
# N connections on this machine, with the limits it has: the epoll server and the load generator hold them over
# loopback, and each is answered once when it is opened and again when all are. Docs: MEASURING.md, "Scale".
#   [BUILD=build] [PORT=18090] [OUT=results/scale-N] scripts/scale.sh N
#
# Not pinned: on loopback the kernel does both ends' share of a handshake on the CPU that connects, so that with a
# CPU each the server's would idle. The latencies of so many workers on so few CPUs are no measurement.
cd "$(dirname "$0")/.." || exit 1
export LC_ALL=C
build=${BUILD:-build}
port=${PORT:-18090}
n=${1:-}
rate=40000                # requests/s when all are open
backlog=4096              # the server's default
opening=2000              # what the load generator connects at a time
server_workers_max=256
idle_timeout_s=600        # a connection is silent while the others are opened, which must not end it
url=http://127.0.0.1:$port/
server_pid='' loadgen_pid=''

die() { echo "scale: $*" >&2; exit 1; }
finish() {
	[ -z "$loadgen_pid" ] || kill "$loadgen_pid" 2>/dev/null
	[ -z "$server_pid" ] || kill "$server_pid" 2>/dev/null
	wait
}
trap finish EXIT
trap 'exit 130' INT TERM

if ! [[ $n =~ ^[1-9][0-9]{1,7}$ ]]; then
	echo "scale: how many connections? for example: scripts/scale.sh 100000" >&2
	exit 2
fi
out=${OUT:-results/scale-$n}

# thousands NUMBER: 1,000,000
thousands() { sed -E ':again; s/^(-?[0-9]+)([0-9]{3})/\1,\2/; t again' <<<"$1"; }

# --- what the machine must have; its files, ports and memory are the load generator's to check ---
hard=$(ulimit -Hn)
[ "$hard" != unlimited ] || hard=1048576
# the kernel deals connections out to the server's workers by chance: room for one share to be larger
share=$((hard * 85 / 100))
workers=$(((n + share - 1) / share))
[ $workers -ge 2 ] || workers=2
[ $workers -le $server_workers_max ] ||
	die "$(thousands "$n") connections need $workers workers with $hard files each, the server has at most" \
		"$server_workers_max: raise the limit (ulimit -Hn)"
somaxconn=$(cat /proc/sys/net/core/somaxconn)
queue=$((somaxconn < backlog ? somaxconn : backlog))
[ $((queue * workers)) -ge $((2 * opening)) ] ||
	die "$workers accept queues of $queue do not hold $opening connects at a time:" \
		"sysctl -w net.core.somaxconn=$backlog"

mkdir -p "$out" || exit 1
"$build/servers/epoll" --port "$port" --workers "$workers" --backlog $backlog \
	--idle-timeout $idle_timeout_s 2>"$out/server.log" &
server_pid=$!
for _ in $(seq 100); do
	{ exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null && break
	kill -0 $server_pid 2>/dev/null || die "$(tail -1 "$out/server.log")"
	sleep 0.05
done

# --- samples ---
# ask_server: sets connected and requests, on a connection that stays open and is not counted
asked=0
ask_server() {
	local line len=0 body
	asked=$((asked + 1))
	printf 'GET /stats HTTP/1.1\r\nHost: scale\r\n\r\n' >&3 || return 1
	while read -r -t 5 -u 3 line; do
		[ "$line" != $'\r' ] || break
		[[ $line != Content-Length:* ]] || len=${line//[^0-9]/}
	done
	read -r -t 5 -u 3 -N "$len" body || return 1
	[[ $body =~ \"open\":\ ([0-9]+) ]] && connected=$((BASH_REMATCH[1] - 1))
	[[ $body =~ \"requests\":\ ([0-9]+) ]] && requests=$((BASH_REMATCH[1] - asked))
}
# read_memory: sets, in bytes, available, slab, and used: what is neither free nor cached files. The kernel calls the
# inodes of sockets reclaimable, so available falls by less than is used.
read_memory() {
	local name value total=0 free=0 buffers=0 cached=0
	while read -r name value _; do
		case $name in
		MemTotal:) total=$value ;;
		MemFree:) free=$value ;;
		MemAvailable:) available=$((value * 1024)) ;;
		Buffers:) buffers=$value ;;
		Cached:) cached=$value ;;
		Slab:) slab=$((value * 1024)) ;;
		esac
	done </proc/meminfo
	used=$(((total - free - buffers - cached) * 1024))
}
page_len=$(getconf PAGESIZE)
# rss_of PID: sets rss; 0 when it has ended
rss_of() {
	local pages=0
	{ read -r _ pages _ <"/proc/$1/statm"; } 2>/dev/null
	rss=$((pages * page_len))
}
now_ms() { local us=${EPOCHREALTIME/./}; now=$((us / 1000)); }

# --- both programs, before the crowd comes ---
ask_server || die "the server does not answer"
"$build/loadgen" -c $((workers * 10)) -t "$workers" -R 1000 -w 0 -d 700ms "$url" >/dev/null 2>"$out/loadgen.log" &
loadgen_pid=$!
sleep 0.5
rss_of $loadgen_pid
loadgen_rss_before=$rss
wait $loadgen_pid
sleep 0.3
ask_server
requests_before=$requests
rss_of $server_pid
server_rss_before=$rss
read_memory
used_before=$used available_before=$available slab_before=$slab

# what answered may have been another's server
kill -0 $server_pid 2>/dev/null || die "$(tail -1 "$out/server.log")"

duration_ms=$((n * 1100 / rate + 1000))
echo "$(thousands "$n") connections, $workers workers of the server and of the load generator, $hard files each"
now_ms
start=$now
"$build/loadgen" -c "$n" -t "$workers" -R $rate --arrivals constant -w 0 -d ${duration_ms}ms --timeout 30s \
	--json "$out/loadgen.json" "$url" >"$out/loadgen.txt" 2>"$out/loadgen.log" &
loadgen_pid=$!

# --- while it runs ---
progress() {
	local per_s=$(((connected - shown_connected) * 1000 / (now - shown))) rate=
	[ $per_s -le 0 ] || rate="$(thousands $per_s)/s"
	local line
	line=$(printf '%4d s  %10s connected %9s  %10s answers  %6d MiB' $(((now - start) / 1000)) \
		"$(thousands $connected)" "$rate" "$(thousands $answered)" $(((used - used_before) >> 20)))
	if [ -t 1 ]; then printf '\r%s\033[K' "$line"; else echo "$line"; fi
	shown=$now shown_connected=$connected
}
echo time_s,connected,answered,used_bytes,available_drop_bytes,slab_bytes,server_rss_bytes,loadgen_rss_bytes \
	>"$out/series.csv"
shown=$start shown_connected=0 used_peak=0 server_rss=0 loadgen_rss=0
while kill -0 $loadgen_pid 2>/dev/null; do
	ask_server || break
	read_memory
	rss_of $server_pid
	server_rss=$rss
	rss_of $loadgen_pid
	now_ms
	answered=$((requests - requests_before))
	printf '%d.%03d,%d,%d,%d,%d,%d,%d,%d\n' $(((now - start) / 1000)) $(((now - start) % 1000)) $connected $answered \
		$((used - used_before)) $((available_before - available)) $((slab - slab_before)) $server_rss $rss \
		>>"$out/series.csv"
	[ $used -le $used_peak ] || used_peak=$used
	[ $rss -le $loadgen_rss ] || loadgen_rss=$rss
	[ $((now - shown)) -lt 1000 ] || progress
	sleep 0.$((n > 200000 ? 5 : 1))
done
wait $loadgen_pid
code=$?
loadgen_pid=''
now_ms
[ ! -t 1 ] || printf '\r\033[K'
[ $code = 0 ] || [ $code = 4 ] || die "$(tail -1 "$out/loadgen.log" | sed 's/^loadgen: //')"

# --- what came of it ---
number() { sed -nE "s/^ *\"$1\": ([0-9.]+),?\$/\1/p" "$out/loadgen.json" | head -1; }
established=$(number established) first=$(number answered) second=$(number answered_in_window) errors=$(number total)
verdict=FAILED
if [ "$established.$first.$second.$errors" = "$n.$n.$n.0" ]; then verdict=ok; fi
total=$((used_peak - used_before))
server=$((server_rss - server_rss_before))
loadgen=$((loadgen_rss - loadgen_rss_before))
kernel=$((total - server - loadgen_rss))
barrier_s=$(number barrier_s)
connects_per_s=$(awk "BEGIN { printf \"%d\", $n / $barrier_s }")
gib() { awk "BEGIN { printf \"%.2f GiB\", $1 / 1073741824 }"; }
echo "connections  $(thousands "$established") established, $(thousands "$first") answered," \
	"$(thousands "$second") answered again, $(thousands "$errors") errors: $verdict"
echo "time         $(printf %.1f "$barrier_s") s to connect and answer all ($(thousands "$connects_per_s")/s)," \
	"$(((duration_ms + 999) / 1000)) s to answer all again, $(((now - start + 500) / 1000)) s in total"
echo "memory       $(gib $total), $(thousands $((total / n))) bytes a connection: kernel $(thousands $((kernel / n)))" \
	"(both ends), server $((server / n)), load generator $((loadgen / n))"
tr , '\t' <"$out/series.csv" >"$out/scale.tsv"
plots=$PWD/scripts/plots
if (cd "$out" && GNUPLOT_LIB=$plots gnuplot -e "connections = $n; barrier_s = $barrier_s; load 'scale.gp'") \
	2>"$out/gnuplot.log"; then
	echo "figure       $out/scale.svg, from $out/series.csv"
else
	echo "figure       not drawn: $(tail -1 "$out/gnuplot.log")"
fi
[ $verdict = ok ] && exit 0
sed -n '/"errors": {/,/}/p' "$out/loadgen.json"
exit 1
