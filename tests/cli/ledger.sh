#!/bin/sh
# The ledger of a request. System calls: the counter against strace (syscalls.c), and a run's own ledger, by BPF and by strace.
#   BUILD=build tests/cli/ledger.sh
set -u
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
port=${PORT:-$((25950 + $$ % 40))}
parts="$BUILD/obj/tests/cli/syscalls.o $BUILD/libsys.a $BUILD/libcore.a"
for part in syscalls strace process probe tree interrupt; do parts="$BUILD/obj/harness/$part.o $parts"; done
"${MAKE:-make}" -s BUILD="$BUILD" $parts || exit 1
${CC:-cc} -pthread -o "$BUILD/syscalls" $parts -lbpf -lseccomp || exit 1
. tests/helpers.sh

ask() { sqlite3 "$work/results/latest/run.sqlite" "$1"; }

# --- on 10,000 requests
for server in thread epoll io_uring; do
	if [ ! -x "$BUILD/servers/$server" ]; then skip "$server is not built"; continue; fi
	timeout 60 "$BUILD/syscalls" "$port" "$BUILD/servers/$server" >"$work/out" 2>&1
	case $? in
	0) pass ;;
	77) skip "$server: $(cat "$work/out")" ;;
	*) fail "$server: $(cat "$work/out")" ;;
	esac
done

# --- a run, as who we are and as a user who is permitted nothing
command -v sqlite3 >/dev/null || { echo "skipped: sqlite3 is not installed"; echo "$passed passed, $failed failed, $((skipped + 1)) skipped"; exit 0; }
printf '[plan]\nblocks = 1\nservers = thread, epoll\nwarmup = 100ms\nduration = 300ms\n[ledger]\nconnections = 64\n' >"$work/plan.ini"
mkdir -m 777 "$work/results"
chmod 755 "$work"
# one WHO: the ledger of a run just made
one() {
	[ "$(ask "SELECT count(DISTINCT server) FROM cell JOIN syscall ON cell_id = id WHERE name = 'recvfrom' AND per_req BETWEEN 0.7 AND 1.5")" = 2 ] &&
		pass || fail "$1: one recvfrom a request: $(ask "SELECT server, name, per_req FROM cell JOIN syscall ON cell_id = id")"
	[ -z "$(ask "SELECT server FROM cell JOIN syscall ON cell_id = id GROUP BY id HAVING abs(sum(per_req) - syscalls_per_req) > 0.001")" ] &&
		pass || fail "$1: the sum is not that of the calls"
	# on a busy machine a reading may be kept from its CPU and end inside the window: not in both
	[ "$(ask "SELECT min(harness_cpu_share) < 0.01 AND max(harness_cpu_share) < 0.05 FROM cell")" = 1 ] &&
		pass || fail "$1: the harness takes the server's time: $(ask "SELECT server, harness_cpu_share FROM cell")"
	if [ "$(ask "SELECT count(*) FROM timeline WHERE reason LIKE '%not permitted%'")" = 2 ]; then
		skip "$1: $(ask "SELECT DISTINCT reason FROM timeline")"
		return
	fi
	[ "$(ask "SELECT count(*) FROM timeline WHERE reason = ''")" = 2 ] && pass || fail "$1: $(ask "SELECT reason FROM timeline")"
	[ -z "$(ask "SELECT name FROM timeline JOIN timeline_thread USING (cell_id) WHERE running_ns + preempted_ns + waiting_ns != window_ns")" ] &&
		pass || fail "$1: a thread's states are not the window"
	ask "SELECT window_ns || ' ' || spans FROM timeline JOIN timeline_thread USING (cell_id)" |
		awk '{ sum = 0; for (i = 2; i <= NF; i++) sum += substr($i, 2); if (sum != $1) bad = 1 } END { exit bad || NR < 60 }' &&
		pass || fail "$1: a thread's spans are not the window"
	[ -z "$(ask "SELECT switches, switches_counted FROM timeline WHERE abs(switches - switches_counted) > max(2, 0.01 * switches_counted)")" ] &&
		pass || fail "$1: switches by records and by perf's counter: $(ask "SELECT switches, switches_counted FROM timeline")"
}
timeout 60 "$BUILD/c10k" bench "$work/plan.ini" --unchecked --out "$work/results" >"$work/out" 2>&1 || fail "a run: $(cat "$work/out")"
one "as $(id -un)"
if [ "$(id -u)" = 0 ]; then
	chmod 777 "$work/results" && rm -f "$work/results/.lock"
	timeout 60 setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$BUILD/c10k" bench "$work/plan.ini" --unchecked --out "$work/results" >"$work/out" 2>&1 || fail "as nobody: $(cat "$work/out")"
	one "as nobody"
	[ "$(ask "SELECT DISTINCT source FROM syscall")" = strace ] && pass || fail "nobody is permitted BPF"
else
	skip "as nobody: needs root"
fi

finish
