#!/bin/sh
# The load generator, built with sanitizers, against a server whose answers are wrong (hostile_answers.c).
#   BUILD=build tests/fault/hostile_answers.sh
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
parts="$BUILD/obj/tests/fault/hostile_answers.o $BUILD/obj/harness/process.o $BUILD/libsys.a $BUILD/libcore.a"
"${MAKE:-make}" -s BUILD="$BUILD" $parts
"${MAKE:-make}" -s BUILD="$BUILD/sanitized" SANITIZE=-fsanitize=address,undefined "$BUILD/sanitized/loadgen"
${CC:-cc} -pthread -o "$BUILD/hostile_answers" $parts
exec "$BUILD/hostile_answers" "${PORT:-23400}" "$BUILD/sanitized/loadgen"
