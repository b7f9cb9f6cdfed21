#!/bin/sh
# Every server against what clients and a short machine do to it: see server_faults.c.
#   BUILD=build tests/fault/server_faults.sh [SERVER...]
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
parts="$BUILD/obj/tests/fault/server_faults.o $BUILD/obj/harness/process.o $BUILD/obj/harness/probe.o"
parts="$parts $BUILD/libsys.a $BUILD/libcore.a"
"${MAKE:-make}" -s BUILD="$BUILD" $parts
${CC:-cc} -pthread -o "$BUILD/server_faults" $parts
if [ $# = 0 ]; then
	set -- "$BUILD"/servers/*
else
	for server; do
		shift
		set -- "$@" "$BUILD/servers/$server"
	done
fi
exec "$BUILD/server_faults" "${PORT:-23500}" "$@"
