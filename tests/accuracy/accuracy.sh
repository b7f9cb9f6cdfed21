#!/bin/sh
# How accurate the load generator is: accuracy.c holds it against reference_server.c. Prints every figure.
#   BUILD=build tests/accuracy/accuracy.sh
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
port=${PORT:-$((25500 + $$ % 400))}
"${MAKE:-make}" -s BUILD="$BUILD" "$BUILD/loadgen" "$BUILD/accuracy/reference_server" "$BUILD/accuracy/accuracy"
exec "$BUILD/accuracy/accuracy" "$port" "$BUILD/accuracy/reference_server" "$BUILD/loadgen"
