#!/bin/sh
# Everything that must hold, group by group: `make test` calls it when all is built. A group's output goes to
# BUILD/test-logs; what failed is shown at once. The last line is the sum.
#   BUILD=build tests/run.sh
set -u
cd "$(dirname "$0")/.."
BUILD=${BUILD:-build}
export BUILD
logs=$BUILD/test-logs
passed=0 failed=0 skipped=0
mkdir -p "$logs"

# count LOG: "passed failed skipped", from cmocka's sums and from lines that say "N passed, M failed"
count() {
	awk '
	/^\[  PASSED  \]/ { passed += $4 }
	/^\[  FAILED  \] [0-9]+ test/ { failed += $4 }
	match($0, /[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?/) {
		split(substr($0, RSTART, RLENGTH), n, " ")
		passed += n[1]; failed += n[3]; skipped += n[5]
	}
	/^[a-z0-9_]+ +skipped: / { skipped++ }
	END { print passed + 0, failed + 0, skipped + 0 }' "$1"
}

# group NAME SECONDS COMMAND...: runs it, adds up, prints a line
group() {
	name=$1 limit=$2
	shift 2
	log=$logs/$name.log
	start=$(date +%s)
	timeout --kill-after=5 "$limit" "$@" >"$log" 2>&1
	code=$?
	set -- $(count "$log")
	if [ $code = 77 ]; then
		set -- "$1" "$2" $(($3 + 1))
	elif [ $code != 0 ] && [ "$2" = 0 ]; then # what failed could not say so
		set -- "$1" 1 "$3"
	elif [ $code = 0 ] && [ "$1$2$3" = 000 ]; then
		set -- 1 0 0
	fi
	passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
	printf '%-22s %5d passed, %d failed' "$name" "$1" "$2"
	[ "$3" = 0 ] || printf ', %d skipped' "$3"
	echo "  ($(($(date +%s) - start)) s)"
	[ $code != 124 ] || echo "    took longer than $limit s and was ended"
	if [ "$2" != 0 ]; then
		grep -nEi -A 6 'fail|error|differ' "$log" | grep -v '0 failed' | head -n 60 | sed 's/^/    /'
		echo "    all of it: $log"
	elif [ "$3" != 0 ]; then
		grep -i 'skipped:' "$log" | sed 's/^/    /'
	fi
}

# build NAME COMMAND...: what cannot be built is a failure; what can is no success yet
build() {
	name=$1
	shift
	"$@" >"$logs/$name.log" 2>&1 && return
	failed=$((failed + 1))
	echo "$name: cannot be built"
	tail -n 20 "$logs/$name.log" | sed 's/^/    /'
}

programs() { for source in tests/unit/test_*.c; do echo "$1/unit/$(basename "$source" .c)"; done; }
each='code=0; for test; do "$test" || code=1; done; exit $code'

# the unit tests as users build them, and with sanitizers; so is the load generator, for tests/fault
make=${MAKE:-make}
build unit-build $make -s -j2 BUILD="$BUILD" $(programs "$BUILD")
group unit 60 sh -c "$each" unit $(programs "$BUILD")
sanitize=-fsanitize=address,undefined
build unit-sanitized-build $make -s -j2 BUILD="$BUILD/sanitized" SANITIZE="$sanitize" \
	$(programs "$BUILD/sanitized") "$BUILD/sanitized/loadgen"
group unit-sanitized 120 sh -c "$each" unit $(programs "$BUILD/sanitized")

group layers 60 scripts/layers.sh "$BUILD"
group conformance 120 "$BUILD/c10k" check all
for script in tests/cli/*.sh tests/fault/*.sh tests/workloads/*.sh tests/report/*.sh tests/browser/*.sh tests/interop/*.sh; do
	[ -e "$script" ] || continue
	group "$(basename "$(dirname "$script")")-$(basename "$script" .sh)" 180 "$script"
done
group clients 120 tests/clients.sh

echo "$passed passed, $failed failed$([ $skipped = 0 ] || echo ", $skipped skipped")"
[ $failed = 0 ]
