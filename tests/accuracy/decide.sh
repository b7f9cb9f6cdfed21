#!/bin/sh
# Does --until-decided decide rightly? In experiment cost, with real runs, 5 to 20 minutes of each:
#   aa      a server against itself, under another name: of 20 comparisons at most 1 may be ranked
#   slowed  epoll against epoll with a busy loop of 5% of its CPU time a request: found slower in 9 of 10 runs
#   BUILD=build tests/accuracy/decide.sh [aa|slowed [RUNS]]
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
"${MAKE:-make}" -s BUILD="$BUILD" "$BUILD/c10k" "$BUILD/loadgen" "$BUILD/servers/epoll" "$BUILD/decide/slowed"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# a house of its own, since the harness takes every program in servers/ beside it for a server
house=$work/build
mkdir -p "$house/servers"
cp "$BUILD/c10k" "$BUILD/loadgen" "$house"
for name in epoll same slowed; do cp "$BUILD/servers/epoll" "$house/servers/$name"; done
cp "$BUILD/decide/slowed" "$house/servers/slowed"

# bench SERVERS ARGUMENTS...: a comparison a rate
bench() {
	cat >"$work/plan.ini" <<-END
		[plan]
		servers = $1
		blocks = 3
		warmup = 100ms
		duration = $duration
		[cost]
		connections = $connections
		rates = $rates
		twin = epoll
	END
	shift
	"$house/c10k" bench "$work/plan.ini" --unchecked --out "$work/results" "$@" >"$work/out" 2>&1 ||
		{ cat "$work/out" >&2; exit 1; }
}
# verdicts SERVER: the last run's, a line each
verdicts() { grep -E "^  cost .* $1 " "$work/out"; }

aa() {
	runs=${1:-10} connections=50 rates='10k, 15k' duration=300ms
	: >"$work/all"
	for run in $(seq "$runs"); do
		bench 'epoll, same' --until-decided
		verdicts same | tee -a "$work/all"
	done
	ranked=$(grep -cE ' (higher|lower) ' "$work/all" || true)
	echo "a server against itself: $ranked of $(wc -l <"$work/all") comparisons ranked"
	[ "$ranked" -le $(($(wc -l <"$work/all") / 20)) ]
}

slowed() {
	runs=${1:-10} connections=200 rates=20k duration=1s # cells differ least there
	bench epoll
	cost_ns=$(sqlite3 "$work/results/latest/run.sqlite" "SELECT CAST(avg(cpu_user_us_per_req + cpu_sys_us_per_req) * 1000
		AS INTEGER) FROM cell")
	export SLOWED_NS=$((cost_ns / 20))
	echo "a request costs epoll $cost_ns ns; slowed by $SLOWED_NS ns"
	: >"$work/all"
	for run in $(seq "$runs"); do
		bench 'epoll, slowed' --until-decided
		verdicts slowed | tee -a "$work/all"
	done
	found=$(grep -c ' higher ' "$work/all" || true)
	echo "slower by 5%: found in $found of $runs runs"
	[ "$found" -ge $((runs * 9 / 10)) ]
}

case ${1:-} in
	aa) aa "${2:-}" ;;
	slowed) slowed "${2:-}" ;;
	*) aa; slowed ;;
esac
