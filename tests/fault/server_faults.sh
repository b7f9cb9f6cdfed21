#!/bin/sh
# Every server against what clients and a short machine do to it (server_faults.c), all at the same time: most
# of it is waiting.
#   BUILD=build tests/fault/server_faults.sh [SERVER...]
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
port=${PORT:-23500}
parts="$BUILD/obj/tests/fault/server_faults.o $BUILD/obj/harness/process.o $BUILD/obj/harness/probe.o"
parts="$parts $BUILD/obj/harness/tree.o"
parts="$parts $BUILD/libsys.a $BUILD/libcore.a"
"${MAKE:-make}" -s BUILD="$BUILD" $parts
${CC:-cc} -pthread -o "$BUILD/server_faults" $parts
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ $# -gt 0 ] || set -- $(BUILD="$BUILD" tests/equivalent.sh)
for server; do
	"$BUILD/server_faults" $port "$BUILD/servers/$server" >"$work/$server" 2>&1 &
	port=$((port + 20))
done
wait
for server; do
	sed "s/^[0-9]* passed/$server: &/" "$work/$server"
	grep -q ' passed, ' "$work/$server" || echo "$server: 0 passed, 1 failed: server_faults ended early"
done >"$work/all"
cat "$work/all"
! grep -Eq ' [1-9][0-9]* failed' "$work/all"
