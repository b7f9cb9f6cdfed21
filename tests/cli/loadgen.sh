#!/bin/bash
# The load generator's command line: what it refuses, and how it reports what a server does wrong.
#   BUILD=build tests/cli/loadgen.sh
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
loadgen=$BUILD/loadgen
port=${PORT:-$((21000 + $$ % 900))}
url=http://127.0.0.1:$port
out=$(mktemp) err=$(mktemp)
passed=0 failed=0 skipped= server_pid= work= slow=
cleanup() { stop_server; rm -rf "$out" "$err" "$work" "$slow"; }
trap cleanup EXIT

pass() { passed=$((passed + 1)); }
fail() {
	failed=$((failed + 1))
	echo "failed: $*"
	sed 's/^/    out: /' "$out" | head -20
	sed 's/^/    err: /' "$err" | head -5
}

# run CODE ARGUMENTS...: runs the load generator, expects that exit code
run() {
	local wanted=$1 code
	shift
	command="$*"
	timeout 60 "$loadgen" "$@" >"$out" 2>"$err"
	code=$?
	if [ $code = "$wanted" ]; then pass; else fail "exit $code, not $wanted: $command"; fi
}
says() { if grep -qE -- "$1" "$out"; then pass; else fail "output lacks '$1': $command"; fi; }
silent() { if [ ! -s "$err" ]; then pass; else fail "says something on standard error: $command"; fi; }
# one line on standard error, with these words
refuses() {
	if [ "$(wc -l <"$err")" = 1 ] && grep -qE -- "$1" "$err"; then pass; else fail "not one line with '$1': $command"; fi
}

# wait_port: until something listens
wait_port() {
	for _ in $(seq 100); do
		if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return; fi
		sleep 0.05
	done
	echo "no server on port $port"
	exit 1
}
stop_server() {
	[ -z "$server_pid" ] && return
	kill "$server_pid" 2>/dev/null
	wait "$server_pid" 2>/dev/null
	server_pid=
}
start_server() {
	stop_server
	"$BUILD/servers/epoll" --host 127.0.0.1 --port "$port" >/dev/null 2>&1 &
	server_pid=$!
	wait_port
}
# A server that answers well at first, and after so many answers in this one way, then closes.
# bad_server COUNT ANSWER
bad_server() {
	stop_server
	perl -e '
		use strict; use Socket; use IO::Socket::INET; use IO::Select;
		my ($port, $good, $bad) = @ARGV;
		$bad =~ s/\\r/\r/g; $bad =~ s/\\n/\n/g;
		$SIG{PIPE} = "IGNORE";
		my $listen = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $port, Listen => 100, ReuseAddr => 1) or die;
		my $select = IO::Select->new($listen);
		for (;;) {
			for my $socket ($select->can_read) {
				if ($socket == $listen) { $select->add(scalar $listen->accept); next }
				if (!sysread($socket, my $request, 4096)) { $select->remove($socket); close $socket; next }
				if ($good-- > 0) { syswrite $socket, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"; next }
				next if $bad eq "silence";
				if ($bad eq "reset") { setsockopt $socket, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0) }
				elsif ($bad ne "close") { syswrite $socket, $bad }
				$select->remove($socket); close $socket if $bad ne "keep";
			}
		}' "$port" "$1" "$2" >/dev/null 2>&1 &
	server_pid=$!
	wait_port
}

# A machine with other work makes a run late, which is then invalid, exit 4, as it should be: here
# only what is counted matters. value NAME: the first number of that name in the JSON.
value() { sed -nE "s/^ *\"$1\": ([0-9.]+),?\$/\1/p" "$out" | head -1; }
# open_loop ARGUMENTS...: runs, and checks that every arrival is accounted for
open_loop() {
	local code
	command="$*"
	timeout 60 "$loadgen" --json - "$@" >"$out" 2>"$err"
	code=$?
	if [ $code = 0 ] || [ $code = 4 ]; then pass; else fail "exit $code: $command"; fi
	silent
	if [ $(($(value offered) + $(value carried))) = $(($(value completed) + $(value unfinished))) ]; then pass
	else fail "arrivals are lost: $command"; fi
}
within() { # NAME LEAST MOST
	if awk -v x="$(value "$1")" -v a="$2" -v b="$3" 'BEGIN { exit !(x != "" && x >= a && x <= b) }'; then pass
	else fail "$1 is not in $2..$3: $command"; fi
}
both() { # ARGUMENTS...: as text and as JSON; the second stays in $out
	run 0 --json "$out.json" "$@"; silent; says '^verdict +(valid|client-limited)'
	local rate
	rate=$(sed -nE 's|^requests/s +([0-9]+).*|\1|p' "$out")
	mv "$out.json" "$out"; says '"total": 0'; within rate_per_s $((rate - 1)) $((rate + 1))
}

# --- slow connections: they do nothing but wait, so beside what follows, with a server of their own ---
slow=$(mktemp)
(
	out=$slow.out err=$slow.err port=$((port + 1000)) passed=0 failed=0
	url=http://127.0.0.1:$port
	trap 'stop_server; rm -f "$out" "$err"' EXIT
	start_server
	both -c 80 --slow 20 -w 100ms -d 5s --slow-target /bytes/1500 "$url/sleep/50"
	if awk '/"slow": \{/ { on = 1 } on && /"answered"/ { exit !($2 + 0 >= 20) }' "$out"; then pass; else fail "slow connections are not answered: $command"; fi
	within established 100 100; within starved 0 0
	# nor are they given up in the drain, whatever their age
	open_loop -R 50 -c 2 --slow 2 --slow-target /bytes/8388608 --timeout 500ms -w 0 -d 1s "$url/"; says '"total": 0'
	# the head is on its way for longer than a server must wait (10 s): it may end that, and it is no error
	long=$(printf 'x%.0s' $(seq 150))
	open_loop -R 20 -c 2 --slow 2 -w 0 -d 13s --status 404 "$url/$long"; says '"ended_by_server": 1'; says '"total": 0'
	echo "$passed $failed"
) >"$slow" &
slow_pid=$!

# --- help and usage ---
run 0 -h; silent; says '^Examples:'
if [ "$(grep -c '^  loadgen ' "$out")" = 5 ]; then pass; else fail "five examples in -h"; fi
run 0 --help; run 0 --version; says '^loadgen'
run 2; refuses 'which URL'
run 2 a b; refuses 'one URL'
run 2 --nonsense "$url/"; refuses '--nonsense: no such option'
run 2 -x "$url/"; refuses '-x'
run 2 -c; refuses '-c needs a value'
run 2 -c 0 "$url/"; refuses '-c 0'
run 2 -c many "$url/"; refuses '-c many'
run 2 -c -5 "$url/"; refuses '-c -5'
run 2 -c 1.5 "$url/"; refuses '-c 1.5: give a number'
run 2 -t 0 "$url/"; refuses '-t 0'
run 2 -t 5 -c 4 "$url/"; refuses 'more workers than connections'
run 2 -R 0 "$url/"; refuses '-R 0'
run 2 -R fast "$url/"; refuses '-R fast'
run 2 -R 1.5 "$url/"; refuses '-R 1.5: give a number'
run 2 -R 100 -d 0 "$url/"; refuses '-R 100: with -d 0'
run 2 -R 100 --arrivals sometimes "$url/"; refuses '--arrivals sometimes: give poisson or constant'
run 2 --arrivals poisson "$url/"; refuses '--arrivals: only an open loop'
for bad in 0 x 70000; do run 2 --requests-per-connection $bad "$url/"; refuses "--requests-per-connection $bad"; done
run 2 --requests-per-connection 5 -d 0 "$url/"; refuses 'with -d 0 nothing is sent'
for bad in 0 65 x; do run 2 --pipeline $bad "$url/"; refuses "--pipeline $bad"; done
for other in '-R 100' '--mix no.ini' '--requests-per-connection 2' '--slow 2'; do
	[ "$other" = '--mix no.ini' ] && echo '[a]' >"$out.ini" && echo 'target = /' >>"$out.ini" && other="--mix $out.ini"
	run 2 --pipeline 4 $other "$url/"; refuses "--pipeline with ${other%% *}: "
done
run 2 --slow many "$url/"; refuses '--slow many'
run 2 --slow 2 -d 0 "$url/"; refuses '--slow: with -d 0'
run 2 --slow-target / "$url/"; refuses '--slow-target: nobody asks for it'
run 2 --slow 2 --slow-target x "$url/"; refuses '--slow-target x: give a path'
for bad in x -1 9223372036854775808; do run 2 --seed $bad "$url/"; refuses "--seed $bad"; done
run 2 --body @/no/file "$url/echo"; refuses '--body @/no/file: cannot be read'
run 2 --expect @/no/file "$url/"; refuses '--expect @/no/file: cannot be read'
run 2 --mix /no/file "$url/"; refuses '--mix /no/file: cannot be read'
run 2 --mix "$out.ini" "$url/path"; refuses '/path: with --mix the file gives the paths'
for other in '--body x' '--expect x' '--status 200'; do
	run 2 --mix "$out.ini" $other "$url"; refuses "${other% *} with --mix: say it in the file"
done
echo '[a]' >"$out.ini"
run 2 --mix "$out.ini" "$url"; refuses "$out.ini:1: \[a\] needs a target"
run 2 -d forever "$url/"; refuses '-d forever'
run 2 -d 25h "$url/"; refuses '-d 25h'
run 2 --timeout 0 "$url/"; refuses '--timeout 0'
run 2 --status 99 "$url/"; refuses '--status 99'
run 2 --cpu 0-x "$url/"; refuses '--cpu 0-x'
run 2 --calibrate -R 10k; refuses '-R: --calibrate alone takes -c, -t and --cpu'
run 2 --calibrate --json -; refuses '--json: --calibrate alone'
run 2 --calibrate -t 5 -c 4; refuses 'more workers than connections'
run 2 --calibrate -d 0 "$url/"; refuses '--calibrate: with -d 0'
run 2 --calibrate --pipeline 4 "$url/"; refuses '--calibrate with --pipeline: its ceiling'
run 2 --cpu 0,1023 "$url/"; refuses 'cannot run on CPU 1023'
run 2 -c '' "$url/"; refuses '-c : give'
run 2 -R 20M "$url/"; refuses '-R 20M'
run 2 --idle 20M "$url/"; refuses '--idle 20M'
run 2 -d 0 -w 1s "$url/"; refuses '-w: with -d 0'
run 2 --requests 100 -d 1s "$url/"; refuses '--requests with -d: it ends when'
run 2 --requests 5 -c 10 "$url/"; refuses '--requests 5: give one to each of the 10 connections'
run 2 --hold -1s "$url/"; refuses '--hold -1s'
run 2 --ramp 1s -w 500ms "$url/"; refuses '--ramp: longer than the warm-up'
run 2 --ramp 100ms -R 1k "$url/"; refuses '--ramp: an open loop'
run 2 --idle=5 -xy "$url/"; refuses '-x: no such option'
run 2 --help=me; refuses '--help=me: this option takes no value'
run 2 --sync 77 "$url/"; refuses '--sync 77: no open socket'
run 2 --json '' "$url/"; refuses '--json : give the name of a file'
run 2 --series - "$url/"; refuses '--series -: give the name of a file'
run 2 --hlog - "$url/"; refuses '--hlog -: give the name of a file'
run 2 --hlog x -d 0 "$url/"; refuses '--hlog: with -d 0'
run 2 --hlog x --series x "$url/"; refuses 'x: two results cannot go into one file'
run 2 --step 10us "$url/"; refuses '--step 10us: give a millisecond'
run 2 --json x --hlog x "$url/"; refuses 'x: two results'
run 2 "127.0.0.1:$port"; refuses 'http://'
run 2 https://127.0.0.1/; refuses 'http://'
run 2 http://; refuses 'host'
run 2 http://a:0/; refuses 'port'
run 2 http://a:65536/; refuses 'port'
run 2 http://a:80x/; refuses 'port'
run 2 'http://[::1]x/'; refuses 'port'
run 2 "http://a/$(printf '%5000s' | tr ' ' x)"; refuses 'longer than 4095 bytes'
run 2 ''; refuses 'http://'

# --- merge: usage ---
run 0 merge -h; silent; says '^Example'
run 2 merge; refuses 'two results or more'
run 2 merge a.json; refuses 'two results or more'
run 2 merge a.json a.json; refuses 'a.json is given twice'
run 2 merge --json a.json a.json b.json; refuses 'overwrite'
run 2 merge --json; refuses '--json needs a value'
run 2 merge -c 5 a.json b.json; refuses '-c: no such option'
run 2 merge no-such-file.json b.json; refuses 'no-such-file.json'
run 2 merge README.md b.json; refuses 'README.md: line 1 is no JSON'
run 2 'http://[::1/'; refuses '\]'
run 2 http://u:p@a/; refuses 'user'
run 2 'http://a/a b'; refuses '%XX'
run 2 'http://a/#x'; refuses '%XX'

# --- preflight ---
run 1 "$url/"; refuses "nothing listens on 127.0.0.1 port $port"
run 1 http://no-such-host.invalid/; refuses 'does not resolve'
run 1 -c 1M -t 1000 "http://[::1]:$port/"; refuses '1000000 connections from one address .*ip_local_port_range'
run 1 -c 10M "$url/"; refuses '10000032 files in each'
run 1 -c 1M -t 1000 "$url/"; refuses "nothing listens|fs.file-max=|GiB of memory" # ports it has: from many addresses
# a machine with less, as this process sees it
smaller() { # FILE CONTENT ARGUMENTS...
	local file=$1
	printf '%s\n' "$2" >"$out.proc"
	shift 2
	command="less in $file: $*"
	timeout 10 unshare -m sh -c 'mount --bind "$1" "$2" && shift 2 && exec "$@"' sh "$out.proc" "$file" \
		"$loadgen" "$@" >"$out" 2>"$err"
	rm -f "$out.proc"
}
if unshare -m sh -c 'mount --bind /proc/meminfo /proc/meminfo' 2>/dev/null; then
	smaller /proc/meminfo 'MemAvailable: 10000 kB' -c 5k -t 10 "$url/"
	refuses '5000 connections need about 39.4 MiB of memory .* 9.77 MiB is available: .* ask for 1240 at most'
	smaller /proc/meminfo 'MemAvailable: 40000 kB' -c 4k -t 10 "$url/"; refuses 'nothing listens'
	smaller /proc/sys/fs/file-nr '5000 0 12000' -c 5k -t 10 "$url/"
	refuses '5000 connections need 10000 files of this machine, 5000 of 12000 are in use: sysctl -w fs.file-max=16000'
	smaller /proc/sys/net/ipv4/ip_local_port_range '40000 50000' -c 14001 -t 20 "$url/"; refuses '14000 connections from .* ports, there are 10001:'
else
	echo "skipped: preflight on a smaller machine, which needs root (unshare -m)"
	skipped=', 1 skipped'
fi
(ulimit -n 100; timeout 10 "$loadgen" -c 200 "$url/" >"$out" 2>"$err"); command='-c 200 with 100 files'; refuses '-t 3'
start_server
run 1 --json /nonexistent/file "$url/"; refuses '/nonexistent/file'
run 1 "$url/nope"; refuses '--status 404'
run 1 --expect Hello "$url/"; refuses 'another body'
run 1 --timeout 200ms "$url/sleep/2000"; refuses 'in time'

# --- runs ---
short='-w 100ms -d 300ms'
run 0 -c 10 $short "$url/"; silent; says '^requests/s +[1-9]'; says 'p50 .* p90 .* p99'; says '^  service +[0-9]'; says '10 requested, 10 established, 10 answered, 0 starved'
if grep -q '^errors' "$out"; then fail 'shows errors where there were none'; else pass; fi
if awk 'length > 80 { exit 1 }' "$out"; then pass; else fail 'lines of more than 80 columns'; fi
if grep -q $'\033' "$out"; then fail 'escape sequences where there is no terminal'; else pass; fi
run 0 -c 10 -t 2 $short --expect 'Hello, World!' "$url/"
run 0 -c 3 $short --status 404 "$url/nope"
run 0 -c 3 $short "$url/bytes/200000"
run 0 -c 3 $short "$url/sleep/20"
run 0 -c 3 $short "http://localhost:$port"; says '3 answered'
run 0 -c 1 -w 0 -d 500ms "$url/sleep/350"; says '^requests/s +2\.0 '
run 0 -c 3 --idle 20 $short "$url/"; says '23 requested, 23 established, 23 answered'
run 0 -c 5 -d 0 --hold 200ms "$url/"; says '5 answered'; says 'valid'
run 1 -c 3 $short "$url/stats"; refuses 'cannot be verified'
run 0 -c 7 -t 3 --requests 1001 "$url/"; silent; says '^1001 requests$'; says '7 answered, 0 starved'
run 0 -c 7 -t 3 --requests 1001 --json - "$url/"; silent; says '"sent": 1001,'; says '"completed": 1001,'
run 0 -c 4 $short --json - "$url/"; silent
for name in schema rate_per_s elapsed_s requests sent completed errors total connect timeout reset closed status body \
	malformed lifetime in_flight_at_end connections requested established answered starved fairness idle bytes \
	received latency_ns service response send_lag count mean stdev min p50 p90 p99 p99_9 p99_99 max hdr client \
	cpu_utilisation cpu_us_per_request run_delay_share littles_law_residual validity verdict reasons config; do
	says "\"$name\":"
done
says '"schema": "c10k.loadgen/1"'; says '"verdict": "(valid|client-limited)"'; says '"hdr": "HISTFA'
"$BUILD/servers/epoll" --help >/dev/null 2>&1
run 0 -c 4 $short --json "$out.json" "$url/"; says '^verdict'
if grep -q c10k.loadgen/1 "$out.json"; then pass; else fail '--json FILE'; fi
rm -f "$out.json"

# --- calibration ---
run 0 --calibrate -c 4 -t 2; silent; says '^ +4 +2 +[0-9.]+k +[0-9.]+ us$'; says '^round trip.* us$'; says '^send lag.* us$'
run 0 --calibrate -c 4 $short --json "$out.json" "$url/"; silent; says '^ceiling +[0-9.]+k requests/s .*: this run reached [0-9]+%$'
says '^own error +p50 -?[0-9.]+ us, p99 -?[0-9.]+ us over a bare round trip of [0-9.]+ us'
mv "$out.json" "$out"; says '"calibration": \{'
for name in ceiling_per_s ceiling_cpu_us_per_request round_trip_ns error_ns send_lag_ns; do says "\"$name\":"; done
run 0 -c 4 $short --json - "$url/"; says '"calibration": null'
"$loadgen" --calibrate >"$out" 2>"$err" & pid=$!
sleep 0.5; kill -INT $pid; wait $pid; code=$?; command='--calibrate interrupted'
if [ $code = 130 ]; then pass; else fail "exit $code"; fi
"$loadgen" --calibrate -c 4 -d 1h "$url/" >"$out" 2>"$err" & pid=$!
sleep 0.7; kill -TERM $pid; wait $pid; code=$?; command='--calibrate interrupted before a run'
if [ $code = 143 ]; then pass; else fail "exit $code"; fi
# --- time series and interval log (what others read in the latter: tests/interop) ---
work=$(mktemp -d)
run 1 --series /nonexistent/file "$url/"; refuses '/nonexistent/file'
run 1 --hlog /nonexistent/file "$url/"; refuses '/nonexistent/file'
run 1 -c 1 -w 0 -d 100ms --series /dev/full "$url/"; refuses 'cannot write /dev/full'
"$loadgen" -c 1 -w 0 -d 100ms "$url/" >/dev/full 2>"$err"; code=$?; command='a full disk'
if [ $code = 1 ]; then pass; else fail "exit $code"; fi
refuses 'cannot write the report: No space'
# what cannot be written costs no other file, nor does a reader who leaves
kept() { if grep -q ',measure,' "$work/kept.csv" && grep -q HISTFA "$work/kept.hlog"; then pass; else fail "exports are lost: $command"; fi; }
run 1 -c 1 -w 0 -d 100ms --json /dev/full --series "$work/kept.csv" --hlog "$work/kept.hlog" "$url/"
refuses 'cannot write /dev/full: No space'; kept; says '^verdict'
rm "$work"/kept.*
"$loadgen" -c 1 -w 0 -d 100ms --series "$work/kept.csv" --hlog "$work/kept.hlog" "$url/" 2>"$err" | true; command='| true'; kept
"$loadgen" -c 1 -w 0 -d 100ms --json "$work/kept.json" "$url/" >&- 2>"$err"; code=$?; command='>&-'
if [ $code = 1 ] && [ "$(tail -n 1 "$work/kept.json")" = '}' ]; then pass; else fail "exit $code, or a report amid the JSON"; fi
# series AWK: holds for the last run's rows, with the columns by name?
series() {
	if awk -F, -v completed="$(number completed)" -v errors="$(number total)" '
		NR == 1 { if ($0 != "time_s,phase,rate_per_s,errors,p50_us,p99_us,open_connections,answered_connections") exit 1 }
		NF != 8 { print "columns: " $0; exit 1 }
		NR > 1 { time = $1; phase[$2]++; rate = $3; sum_errors += $4; open = $7; answered = $8
			if ($2 == "measure") { sum += rate / 10; gap = time - last; if (phase["measure"] > 1 && (gap < .099 || gap > .101)) late++ }
			last = time }
		END { '"$1"' }' "$work/series.csv" >"$err"; then pass; else fail "time series: $1: $command"; fi
}
number() { sed -nE "s/^ *\"$1\": ([0-9.]+),?\$/\1/p" "$work/run.json" | head -1; }
exports="--series $work/series.csv --hlog $work/run.hlog --json $work/run.json"
run 0 -c 12 -t 2 --idle 3 --hold 250ms -w 100ms -d 1200ms $exports "$url/"; silent
series 'exit !(phase["measure"] == 12 && late == 0 && phase["hold"] >= 2 && phase["warm-up"] && phase["drain"])'
series 'exit !(sprintf("%d", sum + .5) == completed && sum_errors == errors && open == 15 && answered == 15)'
if [ "$(grep -c '^[0-9.]*,1.000,[0-9.]*,HISTFA' "$work/run.hlog")" = 1 ] &&
	[ "$(grep -c '^[0-9.]*,0.200,[0-9.]*,HISTFA' "$work/run.hlog")" = 1 ] &&
	[ "$(sed -n 2p "$work/run.hlog")" = '#[Histogram log format version 1.3]' ] &&
	[ "$(grep -c '^#\[StartTime: [0-9.]* (seconds since epoch)' "$work/run.hlog")" = 1 ]; then pass
else fail "interval log: $command"; fi
run 0 -c 2 -w 0 -d 110ms --step 20ms $exports "$url/"
if [ "$(grep -c ',measure,' "$work/series.csv")" = 6 ] && [ "$(grep -c HISTFA "$work/run.hlog")" = 6 ]; then pass
else fail "steps of 20 ms: $command"; fi
# batches so long that the window begins amid one
"$loadgen" -c 200 --pipeline 64 -w 0 -d 300ms $exports "$url/bytes/300000" >"$out" 2>"$err"; command='-c 200 --pipeline 64 /bytes/300000'
series 'exit !(completed > 0 && sprintf("%d", sum + .5) == completed)'
# 100 connections whose answers take 100 ms: without a ramp they all come in the same 20 ms of each 100
run 0 -c 100 --ramp 100ms -w 300ms -d 400ms --step 20ms $exports "$url/sleep/100"
if [ "$(awk -F, '$2 == "measure" && $3 > 0' "$work/series.csv" | wc -l)" -ge 14 ]; then pass
else fail "a ramp spreads what follows: $command"; fi
run 0 -c 3 -d 0 --hold 300ms --series "$work/series.csv" "$url/"
series 'exit !(!phase["measure"] && phase["hold"] >= 2 && open == 3)'
rm -f "$work"/*
"$loadgen" -c 4 -w 100ms -d 30s $exports "$url/" >"$out" 2>"$err" & pid=$!
sleep 0.9; kill -INT $pid; wait $pid; code=$?; command='exports of a run that is interrupted'
if [ $code = 130 ]; then pass; else fail "exit $code"; fi
series 'exit !(phase["measure"] && sum > 0 && phase["drain"])'
if [ "$(grep -c HISTFA "$work/run.hlog")" = 1 ]; then pass; else fail "interval log: $command"; fi

# --- merge ---
run 0 -c 4 -w 100ms -d 1s --json "$work/a.json" "$url/"
run 0 -c 6 -t 2 -w 100ms -d 1s --json "$work/b.json" "$url/"
run 0 merge "$work/a.json" "$work/b.json"; silent; says '^10 connections, 3 workers, of 2 results'
says '10 requested, 10 established, 10 answered, 0 starved'
run 0 merge --json - "$work/b.json" "$work/a.json"; silent; says '"connections": 10,'; says '"merged_from": \['
cp "$out" "$work/all.json"
run 0 -c 2 -w 100ms -d 1s --json "$work/c.json" "$url/"
run 0 merge "$work/all.json" "$work/c.json"; says '^12 connections, 4 workers' # a merged one is a result
# change SED: b.json, changed, as c.json
change() { sed -E "$1" "$work/b.json" >"$work/c.json"; if cmp -s "$work/b.json" "$work/c.json"; then fail "no change: $1"; fi; }
change 's/"schema": ".*"/"schema": "other\/2"/'; run 2 merge "$work/a.json" "$work/c.json"; refuses 'c.json: its schema is other/2'
change 's/("hdr": "HISTFAAA.{40})./\1/'; run 2 merge "$work/a.json" "$work/c.json"; refuses 'c.json: "service" is missing or damaged'
change '/"service"/,/"mean"/s/("count": )[0-9]+/\17/'; run 2 merge "$work/a.json" "$work/c.json"; refuses 'c.json: "service"'
change 's/("response": )null/"other": {"count": 1}, \1null/'; run 2 merge "$work/a.json" "$work/c.json"; refuses 'c.json: merge does not know .*"other"'
change '/"completed"/d'; run 2 merge "$work/a.json" "$work/c.json"; refuses 'c.json: "completed" is missing'
change 's/("sent": )([0-9]+)/\1-\2/'; run 2 merge "$work/a.json" "$work/c.json"; refuses 'c.json: "sent" is .*damaged'
change 's/"elapsed_s": .*/"elapsed_s": 0.31,/'; run 2 merge "$work/a.json" "$work/c.json"; refuses 'c.json measured for 0.31 s'
change 's/("url": ").*"/\1http:\/\/other\/"/'; run 2 merge "$work/a.json" "$work/c.json"; refuses 'c.json is of http://other/'
change 's/"verdict": ".*"/"verdict": "invalid"/; s/"reasons": \[\]/"reasons": ["so it is"]/'
run 4 merge "$work/a.json" "$work/c.json"; says 'verdict +invalid'; says '- .*c.json: so it is'
head -c 2000 "$work/b.json" >"$work/c.json"; run 2 merge "$work/a.json" "$work/c.json"; refuses 'c.json: line .* no JSON'
timeout 60 "$loadgen" -R 500 -c 4 -w 100ms -d 1s --json "$work/c.json" "$url/" >/dev/null 2>&1
run 2 merge "$work/a.json" "$work/c.json"; refuses 'c.json is an open loop, poisson, .*a.json is a closed loop'
run 1 merge --json /nonexistent/file "$work/a.json" "$work/b.json"; refuses '/nonexistent/file'
change 's/("body": )null/\1"x"/'; run 2 merge "$work/a.json" "$work/c.json"; refuses 'a.json and .*c.json differ in --body'
change 's/("slow_target": )null/\1"\/x"/'; run 2 merge "$work/a.json" "$work/c.json"; refuses 'differ in --slow-target'
change 's/("requests": )null/\1100/'; run 2 merge "$work/a.json" "$work/c.json"; refuses 'c.json is of --requests: .*(-d)'
change '/"answered_in_window"/s/[0-9]+/7/'; run 2 merge "$work/a.json" "$work/c.json"; refuses 'c.json: "answered_in_window"'

# --- open loop ---
open_loop -R 1k -c 10 $short "$url/"; within offered 230 370
says '"arrivals": "poisson"'; says '"rate_per_s": 1000'; says '"achieved_share": [01]\.'; says '"starved": null'; within answered_in_window 10 10; within barrier_s 0 5
says '"littles_law_residual": null'
for name in response service send_lag; do says "\"$name\": \{"; done
open_loop -R 1k -c 10 -t 3 --arrivals constant $short "$url/"; within offered 300 300; says '"arrivals": "constant"'
open_loop -R 5 -c 1 -w 0 -d 300ms --arrivals constant "$url/"; within offered 2 2
open_loop -R 500 -c 4 --idle 5 $short "$url/"
# ten connections that take 50 ms each do 200 a second: of 400 half wait, and are not forgotten
open_loop -R 400 -c 10 -w 0 -d 1s --arrivals constant "$url/sleep/50"
within offered 400 400; within completed 150 200; within unfinished 200 250; within unsent 190 240
within achieved_share 0.375 0.5
run 0 -R 400 -c 10 -w 0 -d 1s "$url/sleep/50"; says 'latency +p50 +p90 +p99 +p99.9 +max'
says 'response +[0-9.]+ms'; says 'service +5[0-9]\.'; says 'send lag'; says '^backlog +0 when .*, [12]..* at its end'
says 'overloaded: [345]'
"$loadgen" -R 1k -c 4 -w 30s -d 2h "$url/" >"$out" 2>"$err" & pid=$!
sleep 0.5; kill -INT $pid; wait $pid; code=$?; command='an open loop interrupted in its warm-up'
if [ $code = 130 ]; then pass; else fail "exit $code"; fi
# ... so late in it that answers come in the drain when the window would have begun: they are no figures
"$loadgen" -c 4 -w 1s -d 2h "$url/sleep/500" >"$out" 2>"$err" & pid=$!
sleep 1.8; kill -INT $pid; wait $pid; code=$?; command='interrupted near the end of the warm-up'
if [ $code = 130 ] && ! grep -q '^requests/s' "$out"; then pass; else fail "exit $code, or figures without a window"; fi

# --- populations and targets ---
for k in 1 10; do
	both -c 100 --requests-per-connection $k $short "$url/"
	says "\"requests_per_connection\": $k"; says '"connect": \{'; says '"littles_law_residual": null'
	within established 100 100
done
run 0 -c 10 --requests-per-connection 1 $short "$url/"; says '10 connections, opened anew every 1 request,'; says '^  connect  '
run 0 -c 5 --requests-per-connection 3 -t 2 --idle 4 $short "$url/bytes/200000"; says '9 answered'
open_loop -R 1k -c 20 --requests-per-connection 2 $short "$url/"; within completed 230 370
both -c 10 $short "$url/"; says '"connect": \{'; says '"slow": null'; says '"targets": null'; says '"pipeline": 1'
for depth in 2 64; do
	both -c 10 --pipeline $depth --expect 'Hello, World!' $short "$url/"
	says "\"pipeline\": $depth"; says '"littles_law_residual": null'
done
both -c 2 --pipeline 5 $short "$url/bytes/70000"
both -c 3 --body hello --expect hello $short "$url/echo"; says '"body": "hello"'
head -c 100000 /dev/urandom >"$out.body"
both -c 10 --body "@$out.body" --expect "@$out.body" $short "$url/echo"
both -c 2 --body "@$out.body" --pipeline 8 $short "$url/echo"
run 1 --body hello --expect hallo "$url/echo"; refuses 'another body'
printf '%s\n' '[short]' 'target = /' 'weight = 99.5' '[long]' 'target = /compute/1000' 'weight = 0.5' \
	'[upload]' 'target = /echo' "body = @$out.body" "expect = @$out.body" 'status = 200' >"$out.ini"
both -c 20 --mix "$out.ini" --seed 5 $short "$url"
for name in short long upload; do says "\"name\": \"$name\""; done
says '"method": "POST"'; says '"seed": 5'
open_loop -R 2k -c 20 --mix "$out.ini" --seed 6 --requests-per-connection 7 $short "$url/"; mine=$(value offered)
open_loop -R 2k -c 20 --mix "$out.ini" --seed 6 --requests-per-connection 7 $short "$url/"; within offered "$mine" "$mine"
run 0 -c 20 --mix "$out.ini" $short "$url"; says '^target +answers +p50'; says '^  upload +[1-9]'; says ', seed [0-9]+'
sed -i 's/status = 200/status = 404/' "$out.ini"
run 1 --mix "$out.ini" "$url"; refuses "\[upload\] of $out.ini answers with status 200: .*status = 200"
rm -f "$out.ini" "$out.body"

# interrupted: the partial result, marked
timeout -s INT 1 "$loadgen" -c 4 -w 100ms -d 30s "$url/" >"$out" 2>"$err"; code=$?; command='interrupted'
if [ $code = 124 ]; then pass; else fail "exit $code"; fi
says 'interrupted after 0\.[0-9] s'; says '^requests/s +[1-9]'
"$loadgen" -c 4 -w 100ms -d 30s "$url/" >"$out" 2>"$err" & pid=$!
sleep 0.5; kill -TERM $pid; wait $pid; code=$?
if [ $code = 143 ]; then pass; else fail "exit $code after SIGTERM"; fi

# --- the server goes away ---
"$loadgen" -c 4 -w 100ms -d 1s $exports "$url/" >"$out" 2>"$err" & pid=$!
sleep 0.5; stop_server; wait $pid; code=$?; command='server stopped'
if [ $code = 4 ]; then pass; else fail "exit $code"; fi
series 'exit !(errors > 0 && sum_errors == errors && open == 0 && answered == 4)'
says '^errors .*connect [1-9]'; says '- the last connect: Connection refused'; says 'verdict +invalid'
start_server
"$loadgen" -c 2 --requests 10M --timeout 300ms "$url/" >"$out" 2>"$err" & pid=$!
sleep 0.5; stop_server; sleep 1.5; command='server stopped, with a number of requests to go'
if kill -INT $pid 2>/dev/null; then fail 'goes on without a server'; else pass; fi
wait $pid; code=$?
if [ $code = 4 ]; then pass; else fail "exit $code"; fi
says ' answers to 10000000 requests'
start_server
"$loadgen" -c 1 --idle 9 -d 0 --hold 1s "$url/" >"$out" 2>"$err" & pid=$!
sleep 0.5; stop_server; wait $pid; code=$?; command='server stopped while connections were silent'
if [ $code = 4 ]; then pass; else fail "exit $code"; fi
says '^errors .*closed 10'
# it comes back: what idle ones do then is not in the rate, which answers what was due and no more
start_server
"$loadgen" -R 100 -c 2 --idle 200 -w 0 -d 1s --json - "$url/" >"$out" 2>"$err" & pid=$!
sleep 0.5; start_server; wait $pid; command='server started anew beside idle connections'
if [ "$(value completed)" -le "$(value offered)" ]; then pass; else fail 'more answers than were due'; fi

# --- answers that are wrong, by kind ---
run_bad() { # KIND ANSWER
	bad_server 200 "$2"
	run 4 -c 4 -w 0 -d 300ms --timeout 100ms "$url/"
	says "^errors .*$1 [1-9]"
}
head='HTTP/1.1 200 OK\r\nContent-Length: 5\r\n'
run_bad body "$head\\r\\nhallo"
run_bad body 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhell'
run_bad status 'HTTP/1.1 503 No\r\nContent-Length: 5\r\n\r\nhello'
run_bad closed "$head\\r\\nhel"
run_bad closed close
run_bad reset reset
run_bad timeout silence
run_bad malformed "$head\\r\\nhello!"
run_bad malformed 'HTTP/1.1 200 OK\nContent-Length: 5\n\nhello'
run_bad malformed 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'
# in an open loop too, and what timed out has a response time
bad_server 50 silence
run 4 -R 1k -c 4 -w 0 -d 300ms --timeout 100ms --json - "$url/"; says '"timeout": [1-9]'
if awk '/"response"/ { on = 1 } on && /"max"/ { exit !($2 + 0 > 1e8) }' "$out"; then pass; else fail "timeouts lack their age: $command"; fi
bad_server 200 reset
run 4 -R 1k -c 4 -w 0 -d 300ms "$url/"; says '^errors .*reset [1-9]'
bad_server 1 "${head}Connection: close\\r\\n\\r\\nhello"
run 0 -c 2 -w 100ms -d 300ms "$url/"; says '0 starved'
# so many requests and not one more, though each connection comes again after its last answer
bad_server 1 "${head}Connection: close\\r\\n\\r\\nhello"
run 0 -c 10 -t 2 --requests 100 --json - "$url/"; says '"sent": 100,'; says '"completed": 100,'
# each error of a mix is one of its targets', of slow clients none
printf '%s\n' '[a]' 'target = /a' '[b]' 'target = /b' >"$out.ini"
bad_server 40 "HTTP/1.1 503 No\\r\\nContent-Length: 5\\r\\n\\r\\nhello"
run 4 -c 4 --mix "$out.ini" --json - -w 0 -d 300ms "$url"
if [ "$(awk '/"errors": [0-9]/ { sum += $2 } END { print sum }' "$out")" = "$(value total)" ]; then pass
else fail "errors without a target: $command"; fi
bad_server 20 silence
run 4 -c 4 --slow 4 --slow-target /c --timeout 200ms --mix "$out.ini" -w 0 -d 900ms "$url"; says '^errors .*timeout [1-9]'
rm -f "$out.ini"
# asked to close, it does not: no error, but its time
bad_server 100000 close
run 0 -c 2 --requests-per-connection 2 --timeout 100ms -w 0 -d 500ms "$url/"; says '^verdict +valid'
# it answers one request of each batch; the others time out
bad_server 100000 close
run 4 -c 2 --pipeline 3 --timeout 100ms -w 0 -d 300ms "$url/"; says '^errors .*timeout [1-9]*[02468]$'
bad_server 1 "$head"
run 1 -c 4 "$url/"; refuses 'no connection was answered'
bad_server 1 silence
run 1 -c 4 --timeout 200ms "$url/"; refuses 'no connection was answered: no answer comes in time'
bad_server 0 "${head}Connection: close\\r\\nDate: x\\r\\n\\r\\nhello"
run 0 -c 2 -w 100ms -d 300ms "$url/"
open_loop -R 200 -c 2 $short "$url/"; within completed 20 100

# --- the harness's handshake ---
start_server
perl -e '
	use strict; use Socket; use Fcntl;
	socketpair(my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die;
	fcntl($theirs, F_SETFD, 0);
	my $pid = fork;
	if (!$pid) { close $ours; open STDOUT, ">", $ARGV[2]; exec $ARGV[0], "-c", 4, "-w", "200ms", "-d", "200ms", "--sync", fileno $theirs, $ARGV[1] }
	close $theirs;
	my @times;
	for my $edge ("barrier", "warm", "measure", "measured") {
		my $line = <$ours>;
		$line =~ /^$edge (\d+)$/ or die "not $edge: $line";
		push @times, $1;
		select undef, undef, undef, 0.3 if $edge eq "warm";
		syswrite $ours, "\n" if $edge ne "measure";
	}
	waitpid $pid, 0;
	die "exit $?" if $?;
	die "window @times" if $times[3] - $times[2] != 200_000_000 or $times[2] - $times[1] < 300_000_000
		or $times[1] - $times[0] < 100_000_000;
' "$loadgen" "$url/" "$out" 2>"$err"; code=$?; command='--sync'
if [ $code = 0 ]; then pass; else fail 'edges of --sync'; fi
perl -e '
	use strict; use Socket; use Fcntl;
	socketpair(my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die;
	fcntl($theirs, F_SETFD, 0);
	my $pid = fork;
	if (!$pid) { close $ours; exec $ARGV[0], "-c", 4, "-d", "30s", "--sync", fileno $theirs, $ARGV[1] }
	close $theirs;
	<$ours>;
	close $ours;
	alarm 5;
	waitpid $pid, 0;
	exit $? >> 8;
' "$loadgen" "$url/" >"$out" 2>"$err"; code=$?; command='the harness dies'
if [ $code = 1 ]; then pass; else fail "exit $code when the harness is gone"; fi
refuses 'harness'

# --- what became of the slow ones ---
if wait "$slow_pid"; then
	sed '$d' "$slow"
	read -r slow_passed slow_failed < <(tail -n 1 "$slow")
	passed=$((passed + slow_passed)) failed=$((failed + slow_failed))
else
	cat "$slow"
	failed=$((failed + 1))
fi

echo "$passed passed, $failed failed$skipped"
[ $failed = 0 ]
