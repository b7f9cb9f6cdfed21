#!/bin/sh
# Clients that others wrote against every server: what they ask for works, without one error.
#   BUILD=build tests/clients.sh [SERVER...]
set -u
cd "$(dirname "$0")/.."
BUILD=${BUILD:-build}
port=${PORT:-23700}
work=$(mktemp -d)
server_pid=
trap '[ -z "$server_pid" ] || kill "$server_pid" 2>/dev/null; rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0
pass() { passed=$((passed + 1)); }
fail() {
	failed=$((failed + 1))
	echo "FAILED $server: $*"
	sed 's/^/      /' "$work/out" | head -n 30
}
# have CLIENT: is it installed? Says so once when it is not.
have() {
	command -v "$1" >/dev/null && return 0
	skipped=$((skipped + 1))
	[ -e "$work/lacks-$1" ] || echo "skipped: $1 is not installed (scripts/setup.sh does it)"
	: >"$work/lacks-$1"
	return 1
}

# answers STATUS PATTERN ARGUMENT...: curl gets that status, and head and body match the pattern
answers() {
	status=$1 pattern=$2
	shift 2
	curl --http1.1 --silent --show-error --include --max-time 10 "$@" >"$work/out" 2>&1
	code=$?
	tr -d '\r' <"$work/out" >"$work/text"
	if [ $code != 0 ]; then fail "curl $*: exit code $code"
	elif ! head -n 1 "$work/text" | grep -q "^HTTP/1.1 $status "; then fail "curl $*: not $status"
	elif ! grep -q "^Server: c10k/$server\$" "$work/text"; then fail "curl $*: no Server field"
	elif ! grep -Eq '^Date: [A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT$' "$work/text"; then
		fail "curl $*: no Date field"
	elif ! grep -q -- "$pattern" "$work/text"; then fail "curl $*: no '$pattern'"
	else pass; fi
}

# fit N: as many clients at once, or what the server has places for
fit() {
	if [ -n "$room" ] && [ "$room" -lt "$1" ]; then echo "$room"; else echo "$1"; fi
}

check_curl() {
	have curl || return
	answers 200 '^Hello, World!$' "$url/"
	answers 200 '^Content-Length: 1000$' "$url/bytes/1000"
	answers 200 '^Content-Length: 3000000$' --output "$work/bytes" --dump-header "$work/out" "$url/bytes/3000000"
	answers 200 '^sent and back$' --data-binary 'sent and back' "$url/echo"
	answers 200 '^in chunks$' --header 'Transfer-Encoding: chunked' --data-binary 'in chunks' "$url/echo"
	answers 200 '^Content-Length: ' "$url/sleep/10"
	answers 200 '^[0-9]*$' "$url/compute/10"
	answers 200 '"accepted": [0-9]' "$url/stats"
	answers 200 '^Content-Length: 13$' --head "$url/"
	answers 404 '^Content-Length: ' "$url/none"
	answers 405 '^Allow: GET, HEAD, OPTIONS$' --request DELETE "$url/"
	answers 204 '^Allow: POST, OPTIONS$' --request OPTIONS "$url/echo"
	# a megabyte with Expect: 100-continue, compared to the byte; then two requests on one connection
	head -c 1048576 /dev/urandom >"$work/body"
	if curl --http1.1 --silent --max-time 10 --header 'Expect: 100-continue' --data-binary "@$work/body" \
		--output "$work/out" "$url/echo" && cmp -s "$work/body" "$work/out"; then pass; else
		: >"$work/out"
		fail "curl: a megabyte does not come back as it was sent"
	fi
	curl --http1.1 --verbose --silent --max-time 10 "$url/" "$url/" >/dev/null 2>"$work/out"
	if grep -q 'Re-using existing connection' "$work/out"; then pass; else fail "curl opens a second connection"; fi
}

check_wrk() {
	have wrk || return
	wrk -t 1 -c "$(fit 50)" -d 1s "$url/" >"$work/out" 2>&1
	if grep -q 'Requests/sec' "$work/out" && ! grep -Eq 'Socket errors|Non-2xx' "$work/out"; then pass; else fail wrk; fi
}

check_ab() {
	have ab || return
	for keep in '' -k; do
		ab -q $keep -c "$(fit 20)" -n 3000 "$url/" >"$work/out" 2>&1
		if grep -q '^Complete requests: *3000$' "$work/out" && grep -q '^Failed requests: *0$' "$work/out" &&
			! grep -Eq 'Non-2xx|Write errors: *[1-9]' "$work/out"; then pass; else fail "ab $keep"; fi
	done
	if grep -q '^Keep-Alive requests: *3000$' "$work/out"; then pass; else fail "ab -k: connections are not kept"; fi
}

check_h2load() {
	have h2load || return
	h2load --h1 -c "$(fit 20)" -n 3000 -m 8 "$url/" >"$work/out" 2>&1
	if grep -q '3000 succeeded, 0 failed, 0 errored, 0 timeout' "$work/out"; then pass; else fail "h2load --h1"; fi
}

[ $# -gt 0 ] || set -- $(BUILD="$BUILD" tests/equivalent.sh)
for server; do
	port=$((port + 1))
	url=http://127.0.0.1:$port
	room=$("$BUILD/servers/$server" --describe | sed -n 's/.*"max_connections": \([0-9]*\).*/\1/p')
	"$BUILD/servers/$server" --port $port >"$work/out" 2>&1 &
	server_pid=$!
	tries=0
	until curl --silent --output /dev/null "$url/" || [ $tries = 50 ]; do
		tries=$((tries + 1))
		sleep 0.1
	done
	if ! kill -0 $server_pid 2>/dev/null; then
		fail "does not start"
		continue
	fi
	check_curl
	check_wrk
	check_ab
	check_h2load
	kill $server_pid
	wait $server_pid || fail "ends with code $? on SIGTERM"
	server_pid=
done
echo "clients: $passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
