#!/bin/bash
# nginx behind the contract: it serves, ends and leaves nothing; the harness neither checks nor ranks it.
#   BUILD=build tests/cli/reference.sh
cd "$(dirname "$0")/../.." || exit 1
build=$PWD/${BUILD:-build}
port=${PORT:-24900}
url=http://127.0.0.1:$port
server=$build/servers/nginx
[ -x "$server" ] || { echo "reference skipped: nginx is not installed (scripts/setup.sh does it)"; exit 77; }
. tests/helpers.sh
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; rm -rf "$work"' EXIT
# within SECONDS COMMAND...: it becomes true
within() {
	local until=$((SECONDS + $1 + 1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $until ] || return 1
		sleep 0.05
	done
}
start() {
	"$server" --port "$port" "$@" 2>"$work/words" &
	pid=$!
	within 5 curl -sf "$url/" || fail "does not serve: $(cat "$work/words")"
	# the folder stands behind -p, in the arguments of nginx's master
	master=$(pgrep -P $pid -x nginx | while read -r child; do
		grep -qa master "/proc/$child/cmdline" && echo "$child"
	done)
	folder=$(grep -ao '/tmp/c10k-nginx-[A-Za-z0-9]*' "/proc/$master/cmdline")
	workers=$(pgrep -P "$master")
}
all_gone() {
	for one in $pid $master $workers; do # one that nobody has waited for has no command line any more
		[ -z "$(tr -d '\0' <"/proc/$one/cmdline")" ] || return 1
	done
	[ ! -e "$folder" ]
}

start --workers 2
holds "two workers" test "$(echo "$workers" | wc -l)" = 2
holds "its folder: $folder" test -s "$folder/nginx.conf"
holds "GET /" test "$(curl -s "$url/")" = 'Hello, World!'
"$build/servers/epoll" --port $((port + 1)) 2>/dev/null &
epoll=$!
within 5 curl -sf "http://127.0.0.1:$((port + 1))/"
curl -s "http://127.0.0.1:$((port + 1))/bytes/65536" >"$work/bytes"
kill $epoll
wait $epoll
curl -s "$url/bytes/65536" >"$work/own"
holds "/bytes/65536 is that of epoll" cmp "$work/bytes" "$work/own"
"$server" --port "$port" >"$work/out" 2>&1
holds "a port in use is exit 1, in a line" test "$?$(wc -l <"$work/out")" = 11
"$server" --data x >"$work/out" 2>&1
holds "it has no --data" test "$?$(wc -l <"$work/out")" = 21
kill $pid
wait $pid
holds "SIGTERM: exit 0" test $? = 0
holds "nothing is left after SIGTERM" within 2 all_gone
start
kill -KILL $pid
wait $pid 2>/dev/null
holds "nothing is left after SIGKILL" within 2 all_gone
pid=

"$build/c10k" check nginx >"$work/out" 2>&1
holds "not checked: exit 77" test $? = 77
holds "and said so" grep -q 'not equivalent: not checked' "$work/out"
holds "not among the equivalent" sh -c "! BUILD='$build' tests/equivalent.sh | grep -x nginx"
printf '[plan]\nservers = nginx, epoll\nblocks = 1\nwarmup = 0\nduration = 100ms\n%s%s%s' \
	'[throughput]\nconnections = 2\n' '[wait]\nconnections = 2\n' \
	'[slow]\nservers = nginx\nconnections = 2\nslow = 1\n' | sed 's/\\n/\n/g' >"$work/plan.ini"
timeout 60 "$build/c10k" bench "$work/plan.ini" --out "$work/results" >"$work/out" 2>&1
holds "measured: $(cat "$work/out")" grep -qE 'throughput nginx .*(valid|client-limited)' "$work/out"
holds "not where it cannot serve" \
	grep -q 'wait .*nginx .*unsupported: nginx is a reference: it does not serve /sleep/100' "$work/out"
holds "nor to those who read slowly" grep -q 'slow .*nginx .*unsupported: .*it does not serve /bytes/8388608' "$work/out"
holds "one server is checked" grep -q '1 of 1 servers passed' "$work/out"
holds "named for what it is" grep -q 'nginx (reference, not equivalent)' "$work/results/latest/report.md"
finish
