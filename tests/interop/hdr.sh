#!/bin/bash
# What other people's tools read in our files: npm's hdr-histogram-js decodes the histograms in the JSON, the
# interval log, and what `merge` makes of two results; and merge reads what hdr-histogram-js has encoded. It is
# installed below BUILD/interop and kept there.
#   BUILD=build tests/interop/hdr.sh
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
version=3.0.1
port=${PORT:-$((22500 + $$ % 400))}
work=$BUILD/interop
package=$work/node_modules/hdr-histogram-js
server_pid=
trap '[ -z "$server_pid" ] || kill "$server_pid"' EXIT

skip() { echo "hdr-histogram-js skipped: $*"; exit 77; }
die() { echo "failed: $*"; exit 1; }
for command in node npm; do
	command -v $command >/dev/null || skip "there is no $command"
done
mkdir -p "$work"
if ! grep -q "\"version\": \"$version\"" "$package/package.json" 2>/dev/null; then
	timeout 90 npm install --prefix "$work" --no-audit --no-fund --fetch-retries=1 "hdr-histogram-js@$version" \
		>"$work/npm.log" 2>&1 || skip "npm cannot install it: $(grep -m 1 -i error "$work/npm.log")"
fi

"$BUILD/servers/epoll" --host 127.0.0.1 --port "$port" >/dev/null 2>&1 &
server_pid=$!
for _ in $(seq 100); do
	(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
	sleep 0.05
done

# run NAME ARGUMENTS...: NAME.json and NAME.hlog; invalid (4) is the machine's doing, and counts nothing wrong
run() {
	local name=$1
	shift
	timeout 60 "$BUILD/loadgen" --json "$work/$name.json" --hlog "$work/$name.hlog" "$@" >/dev/null
	case $? in 0 | 4) ;; *) die "loadgen $*" ;; esac
}
url=http://127.0.0.1:$port
run a -c 20 -t 2 -w 100ms -d 2300ms "$url/"
run b -c 200 -w 100ms -d 2300ms "$url/"
run open -R 3k -c 20 -w 100ms -d 1500ms "$url/"
# ten connections, 20 ms each, do 500 a second: most of what is due is not answered in time
run overload -R 2k -c 10 -w 100ms -d 1100ms "$url/sleep/20"

merge() { "$BUILD/loadgen" merge --json "$@"; case $? in 0 | 4) ;; *) die "merge $*" ;; esac; }
merge "$work/merged.json" "$work/a.json" "$work/b.json" >/dev/null
node tests/interop/hdr.js "$(realpath "$package")" encode "$work/a.json" "$work/foreign.json" || die "hdr-histogram-js encodes"
merge "$work/again.json" "$work/foreign.json" "$work/b.json" >/dev/null
node tests/interop/hdr.js "$(realpath "$package")" check "$work"
