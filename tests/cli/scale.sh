#!/bin/bash
# More connections than one file table and one source address hold: scripts/scale.sh with 30,000 and 12,000 files a
# worker; what it says where less is allowed; and that a server with many workers ends its connections, and itself.
#   BUILD=build tests/cli/scale.sh
cd "$(dirname "$0")/../.." || exit 1
export BUILD=${BUILD:-build}
export PORT=${PORT:-$((22000 + $$ % 900))}
files=12000 connections=30000
work=$(mktemp -d)
export OUT=$work/out
out=$work/stdout err=$work/stderr
passed=0 failed=0 server_pid=
trap '[ -z "$server_pid" ] || kill "$server_pid" 2>/dev/null; rm -rf "$work"' EXIT

pass() { passed=$((passed + 1)); }
fail() {
	failed=$((failed + 1))
	echo "failed: $*"
	sed 's/^/    /' "$out" "$err" | tail -20
}
check() { local what=$1; shift; if "$@"; then pass; else fail "$what"; fi; }

# --- what it refuses ---
scripts/scale.sh >"$out" 2>"$err"; check 'usage: exit code' [ $? = 2 ]; check usage grep -q 'how many' "$err"
(ulimit -n 100; exec scripts/scale.sh $connections) >"$out" 2>"$err"; check 'few files: exit code' [ $? = 1 ]
check 'few files' grep -q "need 353 workers with 100 files each, .* (ulimit -Hn)" "$err"

# --- 30,000 ---
hard=$(ulimit -Hn)
[ "$hard" = unlimited ] || [ "$hard" -ge $files ] ||
	{ echo "skipped: $connections connections need a hard file limit of $files, here it is $hard"; exit 77; }
free_mib=$(awk '/^MemAvailable/ { printf "%d", $2 / 1024 }' /proc/meminfo)
[ "$free_mib" -ge 600 ] ||
	{ echo "skipped: $connections connections need 600 MiB of memory, $free_mib are available"; exit 77; }
(ulimit -n $files; exec scripts/scale.sh $connections) >"$out" 2>"$err" &
pid=$!
# local addresses of connections to the server, as the kernel lists them
addresses=0
while kill -0 $pid 2>/dev/null && [ $addresses -lt 3 ]; do
	addresses=$(awk -v port="$(printf ':%04X' "$PORT")" 'substr($3, 9) == port { seen[substr($2, 1, 8)] = 1 }
		END { print length(seen) }' /proc/net/tcp)
	sleep 0.1
done
wait $pid; check '30,000 connections: exit code' [ $? = 0 ]
check 'all answered twice' \
	grep -q '^connections  30,000 established, 30,000 answered, 30,000 answered again, 0 errors: ok$' "$out"
check "three source addresses, not $addresses" [ "$addresses" -ge 3 ]
check 'nothing on standard error' [ ! -s "$err" ]
check 'the series' awk -F, 'NF != 8 { exit 1 } $2 > most { most = $2 } END { exit !(NR > 5 && most == 30000) }' \
	<(tail -n +2 "$OUT/series.csv")
check 'the figure' grep -q '</svg>' "$OUT/scale.svg"

# --- many workers, each with a file table of its own, and a server's patience ---
start_server() { # ARGUMENTS...
	"$BUILD/servers/epoll" --port "$PORT" "$@" >"$out" 2>"$err" &
	server_pid=$!
	for _ in $(seq 100); do (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null && break; sleep 0.05; done
}
start_server --workers 60 --idle-timeout 1
"$BUILD/loadgen" -c 100 -d 0 --hold 3500ms "http://127.0.0.1:$PORT/" >"$out" 2>"$err"
check 'silent connections are closed: exit code' [ $? = 4 ]
check 'silent connections are closed' grep -q '^errors .*closed [1-9]00$' "$out"
"$BUILD/loadgen" -c 300 -d 5s --timeout 1s "http://127.0.0.1:$PORT/" >"$out" 2>"$err" &
loadgen_pid=$!
sleep 0.7
start_ms=$(date +%s%3N)
kill -TERM $server_pid
wait $server_pid; check '60 workers: exit code on SIGTERM' [ $? = 0 ]
server_pid=
check '60 workers: stopped in time' [ $(($(date +%s%3N) - start_ms)) -le 2000 ]
kill $loadgen_pid
wait

echo "$passed passed, $failed failed"
[ $failed = 0 ]
