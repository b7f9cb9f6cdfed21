#!/bin/sh
# What a newcomer meets: what the docs count is so, a server of one's own begins and builds (in a path with a space), and
# the words that are typed wrong first are answered with what would be right.
#   BUILD=build tests/cli/newcomer.sh
set -u
cd "$(dirname "$0")/../.."
build=$PWD/${BUILD:-build}
. tests/helpers.sh

# --- docs: lines of each server, modules of the house
while read -r name lines; do
	source=$(ls servers/$name.c servers/$name.cc servers/rust/src/bin/$name.rs servers/go/$name.go 2>/dev/null)
	[ "$(wc -l <"$source")" = "$lines" ] && pass || fail "docs/MODELS.md: $name has $lines lines, $source $(wc -l <"$source")"
done <<END
$(sed -nE 's/^\| ([a-z_-]+) \| ([0-9]+) \|.*/\1 \2/p' docs/MODELS.md)
END
for source in harness/*.c loadgen/*.c lib/core/*.c lib/sys/*.c; do
	name=$(basename "$source" .c)
	case $source in */report_*.c | */figures_*.c | harness/figures.c) continue ;; esac
	holds "docs/ARCHITECTURE.md names $source" grep -q "\`$name[\`.]" docs/ARCHITECTURE.md
done

# --- a server of one's own, in a path with a space
copy="$work/a path"
mkdir "$copy" && cp -R Makefile lib servers scripts "$copy"
(cd "$copy" && make -s new-server NAME=mine && sed -i 's/one line: how/one "line": how/; s/"line"/\\"line\\"/' servers/mine.c && make -s BUILD=build build/servers/mine) >"$work/out" 2>&1
holds "the skeleton builds: $(tail -n 3 "$work/out")" test -x "$copy/build/servers/mine"
holds 'the skeleton passes the check' "$build/c10k" check "$copy/build/servers/mine"
new_server() { expect 2 "$2" "$copy/scripts/new-server.sh" "$1"; }
new_server mine 'servers/mine.c is there already'
for name in asio:asio.cc tokio:rust/src/bin/tokio.rs go:go/go.go; do
	new_server "${name%:*}" "servers/${name#*:} is there already"
done
for name in '' all Mine my-own a_name_of_thirty_one_characters_; do new_server "$name" 'a name is up to 30 of a-z'; done
holds 'thirty characters are a name' "$copy/scripts/new-server.sh" a_name_of_thirty_characters___

# --- one mistake is not told hundreds of times
printf '#!/bin/sh\n' >"$work/mute"
printf '#!/bin/sh\nfor word; do [ "$word" != --describe ] || exec "%s" --describe; done\nexec "%s" "$@"\n' \
	"$build/servers/poll" "$build/servers/epoll" >"$work/liar"
chmod +x "$work/mute" "$work/liar"
"$build/c10k" check "$work/mute" >"$work/out"
holds 'without --describe nothing else is tried' grep -q 'cases: 0 passed, 1 failed' "$work/out"
"$build/c10k" check "$work/liar" >"$work/out"
[ "$(grep -c '^  FAILED' "$work/out")" = 10 ] && pass || fail "more or less than ten failures are shown"
holds 'how many there are, and how to see them' grep -q 'and [0-9]* more: --verbose' "$work/out"

# --- words that are wrong
unset MAKEFLAGS MFLAGS # make test's own: with them make speaks of its jobs
expect 2 'diff: no server "nope": give two' make -s diff A=epoll B=nope
holds 'what a model is' sh -c 'make -s diff A=thread B=go | grep -q "^+.*goroutine"'
for server in epoll nginx; do
	[ -x "$build/servers/$server" ] || continue
	expect 2 "bad option '-port'" "$build/servers/$server" -port 9000
	expect 2 '--port needs a value' "$build/servers/$server" --port
done
expect 2 'unknown option -servers ' "$build/c10k" bench -servers epoll
expect 2 "bad option '-json'" "$build/c10k" check -json epoll

expect 2 'no run: give its folder' "$build/c10k" report "$work"
expect 2 'no run: give its folder' "$build/c10k" compare "$work" "$work"
expect 2 'no run: give its folder' "$build/c10k" diff-env "$work" "$work"

printf '[plan]\n  blocks = 1\n  [idle]\n  connections = 1\n  idle = 3\n' >"$work/indented.ini"
holds 'a plan may be indented' "$build/c10k" bench --dry-run "$work/indented.ini"
printf '[a]\n\ttarget = /\n\tweight = 0\n' >"$work/mix.ini"
expect 2 'mix.ini:3: \[a\] weight = 0' "$build/loadgen" --mix "$work/mix.ini" http://127.0.0.1:1/
expect 1 'may have 20 files, and none is left' sh -c "ulimit -n 20; exec '$build/loadgen' -c 5 http://127.0.0.1:1/"

# --- the doctor misses every server that is missing
mkdir -p "$work/few/build/servers" && cp "$build/c10k" "$work/few/build/" && cp "$build/servers/epoll" "$work/few/build/servers/"
"$work/few/build/c10k" doctor >"$work/out" 2>&1
for server in iterative asio tokio nginx; do
	holds "the doctor misses $server" grep -q "1 built, missing:.* $server\b" "$work/out"
done

# --- a terminal of 40 columns: what passes does not wrap
cat >"$work/plan.ini" <<END
[plan]
blocks = 1
servers = epoll
warmup = 0
duration = 600ms
[throughput]
connections = 4
END
LC_ALL=C TERM=xterm timeout 60 script -qec "stty cols 40; '$build/c10k' bench '$work/plan.ini' --out '$work/narrow'" /dev/null \
	</dev/null >"$work/screen"
awk 'BEGIN { RS = "\r" } NR > 1 && !/^\n/ { print last } { last = $0 }' "$work/screen" |
	sed "s/$(printf '\033')\[[0-9;]*[mK]//g" | grep . >"$work/lines" # what is followed by a return alone
awk 'length > 40 { print; wide = 1 } END { exit wide }' "$work/lines" && pass || fail 'what passes is wider than the terminal'
holds 'a bar, and what is being checked' sh -c "grep -q '\.\.\.\..* 0%' '$work/lines' && grep -q checking '$work/lines'"

finish
