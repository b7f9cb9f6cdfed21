#!/bin/bash
# What requests can ask for, of every server: the data file, a real Redis, and answers that are the same to the byte
# whoever gives them. Six servers at a time, each with a Redis of its own: most of it is waiting.
#   BUILD=build tests/workloads/workloads.sh [SERVER...]
cd "$(dirname "$0")/../.." || exit 1
export LC_ALL=C
BUILD=${BUILD:-build}
first_port=${PORT:-24100}
blocks=1000
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# --- what all servers read ---
# each line of 16 bytes tells its block, by a letter and by a number; the last block is half a block
awk -v blocks=$blocks 'BEGIN {
	for (n = 0; n < blocks; n++)
		for (line = 0; line < (n < blocks - 1 ? 256 : 128); line++)
			printf "%c%014d\n", 65 + n % 26, n
}' >"$work/numbered"
yes 'the same block.' | head -c 1048576 >"$work/alike"
printf 'sent and back' >"$work/echo"
printf 'a value' >"$work/short"
head -c 100000 /dev/urandom >"$work/long"
printf '\0\r\n$5\r\nhello\r\n\377\0' >"$work/binary" # as Redis itself would write
: >"$work/empty"
values='short long binary empty'

# --- one server: its counters, its processes ---
passed=0 failed=0
pass() { passed=$((passed + 1)); }
fail() {
	failed=$((failed + 1))
	echo "FAILED $server: $*"
}
server_pid= load_pid= redis_pid=
end() {
	for pid in $server_pid $load_pid $redis_pid; do kill "$pid" && wait "$pid"; done 2>/dev/null
	server_pid= load_pid= redis_pid=
}
listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# start OPTION...: the server, on the next free port; false when it ends before it serves
start() {
	port=$((port + 1))
	while listens $port; do port=$((port + 1)); done
	url=http://127.0.0.1:$port
	"$BUILD/servers/$server" --port $port "$@" 2>"$dir/words" &
	server_pid=$!
	until curl -s -o "$dir/body" "$url/"; do
		kill -0 $server_pid 2>/dev/null || return 1
		sleep 0.02
	done
}
stop() {
	kill $server_pid
	wait $server_pid || fail "ends with code $? on SIGTERM"
	server_pid=
}
start_redis() {
	while listens $redis_port; do redis_port=$((redis_port + 1)); done
	redis-server --port $redis_port --bind 127.0.0.1 --save "" --appendonly no --dir "$dir" >/dev/null &
	redis_pid=$!
	until redis-cli -p $redis_port ping >/dev/null 2>&1; do
		kill -0 $redis_pid 2>/dev/null || { fail "redis-server does not start"; return; }
		sleep 0.02
	done
	for value in $values; do redis-cli -p $redis_port -x set "$value" <"$work/$value" >/dev/null; done
}

# --- what is asked of it ---
# status CODE PATH: what is answered
status() {
	local got
	got=$(curl -s --max-time 5 -o "$dir/body" -w '%{http_code}' "$url$2")
	if [ "$got" = "$1" ]; then pass; else fail "$2: status $got, not $1"; fi
}
# answer NAME PATH ARGUMENT...: keeps head and body, all but who says it and when, to be compared with the others'
answer() {
	local name=$1 path=$2
	shift 2
	curl --http1.1 -s --max-time 5 -D "$dir/head" -o "$dir/body" "$@" "$url$path" || fail "$path: curl exit code $?"
	sed 's/^\(Server\|Date\): .*/\1/' "$dir/head" | cat - "$dir/body" >"$dir/answers/$name"
}
# is FILE: the last body
is() { if cmp -s "$work/$1" "$dir/body"; then pass; else fail "the answer is not $1"; fi; }

check_answers() {
	answer root /
	answer bytes-1000 /bytes/1000
	answer bytes-100000 /bytes/100000
	answer sleep-10 /sleep/10
	answer compute-100 /compute/100
	answer echo /echo --data-binary "@$work/echo"
	is echo
	[ -n "$redis_port" ] || return
	for value in $values; do
		answer "query-$value" "/query/$value"
		is "$value"
	done
	answer query-none /query/none
	status 404 /query/none
}

# places LEN COUNT: so many answers of /file/LEN, each from one place of the file, and not all from the same
places() {
	curl -s --max-time 20 "$url/file/$1?[1-$2]" >"$dir/body"
	set -- "$1" "$2" $(awk -v lines=$(($1 / 16)) '
		(NR - 1) % lines == 0 { first = substr($0, 2) + 0; if (!seen[first]++) places++ }
		{ n = first + int((NR - 1) % lines / 256); if ($0 != sprintf("%c%014d", 65 + n % 26, n)) wrong++ }
		END { print places + 0, wrong + 0 }' "$dir/body")
	if [ "$(wc -c <"$dir/body")" != $(($1 * $2)) ]; then fail "/file/$1: not $2 times $1 bytes"
	elif [ "$4" != 0 ]; then fail "/file/$1: $4 lines are not those of one place of the file"
	elif [ "$3" = 1 ]; then fail "/file/$1: always from the same place"
	else pass; fi
}
check_file() {
	places 4096 200
	places 100000 30
	curl -s "$url/file/1?[1-200]" >"$dir/body"
	if [ "$(tr -d A-Z <"$dir/body" | wc -c)" = 0 ] && [ "$(wc -c <"$dir/body")" = 200 ] &&
		[ "$(fold -w 1 "$dir/body" | sort -u | wc -l)" -gt 1 ]; then pass
	else fail "/file/1: not the first byte of one block and another"; fi
}

# a wait behind more and more requests in one go: none is forgotten where a client's share of a turn ends
check_shares() {
	local count answers all head='Host: c\r\n\r\n'
	all="GET /bytes/40000 HTTP/1.1\r\n$head" # without it each but the wait would be two steps
	for ((count = 2; count < 24; count++)); do
		exec 3<>"/dev/tcp/127.0.0.1/$port"
		printf "${all}GET /sleep/1 HTTP/1.1\r\nConnection: close\r\n$head" >"$dir/asked"
		cat "$dir/asked" >&3 # in one piece
		answers=$(timeout 3 grep -ao 'HTTP/1.1 200 OK' <&3 | wc -l)
		exec 3>&-
		[ "$answers" = $count ] || break
		all="${all}GET /compute/1 HTTP/1.1\r\n$head"
	done
	if [ $count = 24 ]; then pass; else fail "$count requests in one go, the last a /sleep: $answers answers"; fi
}

# refuses OPTION...: one line and exit 1 or 2
refuses() {
	timeout 5 "$BUILD/servers/$server" --port $((port + 1)) "$@" >"$dir/body" 2>&1
	local code=$?
	if { [ $code = 1 ] || [ $code = 2 ]; } && [ "$(wc -l <"$dir/body")" = 1 ]; then pass
	else fail "$*: exit code $code, and says: $(cat "$dir/body")"; fi
}
check_options() {
	refuses --data "$work/nothing"
	refuses --data "$work"
	refuses --database 127.0.0.1:6379
	refuses --database redis://127.0.0.1:65536
}

# load PATH: by as many connections as it can hold, up to 200
load() {
	"$BUILD/loadgen" -c $most -w 100ms -d 300ms "$url$1" >"$dir/load" 2>&1
	if grep -q " $most answered," "$dir/load" && ! grep -q '^errors' "$dir/load"; then pass
	else fail "$most connections on $1: $(cat "$dir/load")"; fi
}

# no sleep ends early, however many sleep, and the shortest of them is no other one
check_sleeps() {
	local least_ns
	"$BUILD/loadgen" -c $most -R $((most * 10)) --arrivals constant -w 0 -d 300ms --json "$dir/load" \
		"$url/sleep/20" >/dev/null 2>&1
	least_ns=$(sed -n 's/^ *"min": \([0-9]*\),/\1/p' "$dir/load" | head -n 1)
	if [ "${least_ns:-0}" -ge 20000000 ] && [ "$least_ns" -lt 40000000 ]; then pass; else fail "the shortest /sleep/20 took ${least_ns:-?} ns"; fi
}

# the link to Redis is cut while it lies idle and the server computes; then somebody asks, before the server has looked
check_cut() {
	local line
	exec 3<>"/dev/tcp/127.0.0.1/$port"
	printf 'GET /query/short HTTP/1.1\r\nHost: c\r\n\r\n' >&3
	timeout 5 head -n 1 <&3 >/dev/null
	sleep 1 # after a link, none is tried for so long
	curl -s -o "$dir/body" "$url/compute/300000" &
	load_pid=$!
	sleep 0.1
	redis-cli -p $redis_port client kill type normal >/dev/null
	printf 'GET /query/short HTTP/1.1\r\nHost: c\r\n\r\n' >&3
	line=$(timeout 5 head -n 1 <&3)
	if [[ $line = "HTTP/1.1 "[25]0[03]" "* ]]; then pass # 503 by who asked on it before he heard
	else fail "/query/short behind a link that was cut: '$line'"; fi
	exec 3>&-
	wait "$load_pid"
	load_pid=
}

# the link to Redis is reset while long answers lie in it: who asked on it is answered, whatever it be
check_reset() {
	local line
	exec 3<>"/dev/tcp/127.0.0.1/$port"
	kill -STOP $redis_pid
	for _ in 1 2 3 4; do curl -s --max-time 5 -o "$dir/long" "$url/query/long" & done
	sleep 0.1
	kill -STOP $server_pid
	kill -CONT $redis_pid
	sleep 0.1
	redis-cli -p $redis_port client kill type normal >/dev/null
	printf 'GET /query/short HTTP/1.1\r\nHost: c\r\n\r\n' >&3 # a question to who has closed is answered by a reset
	kill -CONT $server_pid
	line=$(timeout 4 head -n 1 <&3)
	if [[ $line = "HTTP/1.1 "[25]0[03]" "* ]]; then pass
	else fail "/query/short over a link that is reset: '$line'"; fi
	exec 3>&-
}

# one who has asked goes (a close with an answer unread is a reset); who comes in his place gets his own answer, not that
check_gone() {
	kill -STOP $redis_pid
	exec 3<>"/dev/tcp/127.0.0.1/$port"
	printf 'GET / HTTP/1.1\r\nHost: c\r\n\r\nGET /query/short HTTP/1.1\r\nHost: c\r\n\r\n' >&3
	sleep 0.1
	exec 3>&-
	sleep 0.1
	curl -s --max-time 5 -o "$dir/body" "$url/query/long" &
	load_pid=$!
	sleep 0.1
	kill -CONT $redis_pid
	wait "$load_pid"
	load_pid=
	is long
}

# Redis ends while it is asked, and comes back
check_outage() {
	if [ $most = 200 ]; then # else the load would leave no room for who looks on
		"$BUILD/loadgen" -c 20 -w 0 -d 600ms "$url/query/short" >/dev/null 2>&1 &
		load_pid=$!
		sleep 0.3
	fi
	kill -KILL $redis_pid
	wait $redis_pid 2>/dev/null
	for _ in 1 2 3; do
		status 503 /query/short
		status 200 /
	done
	[ -z "$load_pid" ] || wait "$load_pid"
	load_pid=
	start_redis
	local since_ns until_ns
	since_ns=$(date +%s%N)
	until_ns=$((since_ns + 3000000000))
	until [ "$(curl -s --max-time 3 -o "$dir/body" -w '%{http_code}' "$url/query/short")" = 200 ]; do
		if [ "$(date +%s%N)" -gt $until_ns ]; then break; fi
		sleep 0.02
	done
	is short
}

# the server is stopped while it waits for an answer of Redis: whoever asked still gets it
check_asked_last() {
	sleep 1 # a worker that found Redis gone tries for a link again after so long
	kill -STOP $redis_pid
	curl -s --max-time 5 -o "$dir/body" "$url/query/short" &
	load_pid=$!
	sleep 0.2
	(sleep 0.3; kill -CONT $redis_pid) &
	stop
	if wait "$load_pid"; then is short; else fail "/query/short on its way when the server is stopped: no answer"; fi
	load_pid=
}

# check SERVER PORT: all of it, on ports from that one on
check() {
	server=$1 port=$2 dir=$work/of/$1 redis_port=
	trap end EXIT
	mkdir -p "$dir/answers"
	if ! start; then
		wait $server_pid
		[ $? = 77 ] || { fail "does not start"; return; }
		echo "skipped: $(tail -n 1 "$dir/words")"
		return
	fi
	status 503 /file/1
	status 503 /query/short
	stop
	check_options

	most=$("$BUILD/servers/$server" --describe | sed -n 's/.*"max_connections": \([0-9]*\).*/\1/p')
	[ -n "$most" ] && [ "$most" -lt 200 ] || most=200
	set --
	if command -v redis-server >/dev/null; then
		redis_port=$((port + 1)) port=$((port + 2))
		start_redis
		set -- --database redis://127.0.0.1:$redis_port
	fi
	start --data "$work/numbered" "$@"
	check_answers
	check_shares
	check_file
	stop
	start --data "$work/alike" "$@" # the load generator wants the same answer each time
	load /file/4096
	check_sleeps
	if [ -n "$redis_port" ]; then
		load /query/long
		check_gone
		[ $most != 200 ] || { check_cut; check_reset; }
		check_outage
		check_asked_last
	else
		stop
	fi
	if ! "$BUILD/servers/$server" --describe | grep -q max_workers; then
		start --data "$work/alike" "$@" --workers 2
		load /file/4096
		[ -z "$redis_port" ] || load /query/long
		stop
	fi
}

# --- all of them ---
[ $# -gt 0 ] || set -- $(BUILD="$BUILD" tests/equivalent.sh)
port=$first_port
for server; do
	(check "$server" $port; echo $passed $failed >"$dir/sum") >"$work/$server.log" 2>&1 &
	port=$((port + 20))
	while [ "$(jobs -r | wc -l)" -ge 6 ]; do wait -n; done
done
wait
skipped=$(cat "$work"/*.log | grep -c '^skipped: ')
if ! command -v redis-server >/dev/null; then
	skipped=$((skipped + 1))
	echo "skipped: /query, since redis-server is not installed (scripts/setup.sh does it)"
fi
first=
for server; do
	cat "$work/$server.log"
	if read -r of_it not_of_it <"$work/of/$server/sum"; then
		passed=$((passed + of_it)) failed=$((failed + not_of_it))
	else
		fail "the test of it ended early"
	fi
	for file in "$work/of/$server/answers"/*; do
		[ -e "$file" ] || continue
		[ -n "$first" ] || first=$server
		if cmp "$work/of/$first/answers/$(basename "$file")" "$file"; then pass
		else fail "$(basename "$file"): not what $first answers"; fi
	done
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
