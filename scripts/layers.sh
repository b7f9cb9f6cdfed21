#!/bin/sh
# The house's two promises: includes run one way, and the core is pure.
#   scripts/layers.sh BUILD
set -u
cd "$(dirname "$0")/.."
build=${1:-build}
failed=0
fail() { echo "layers: $*" >&2; failed=1; }

# allow FOLDER PATTERN: each quoted include in FOLDER starts with a folder of PATTERN, or is a neighbour
allow() {
	grep -HnE '^#include "' "$1"/*.c "$1"/*.cc "$1"/*.h 2>/dev/null | sed -E 's/^([^:]+:[0-9]+):#include "([^"]+)".*/\1 \2/' |
	while read -r place header; do
		case $header in */*) ;; *) continue ;; esac
		echo "$header" | grep -qE "^($2)/" || echo "$place includes $header"
	done
}
wrong=$(allow lib/core lib/core; allow lib/sys 'lib/core|lib/sys'; allow servers 'lib/core|lib/sys'
	allow servers/rust 'lib/core|lib/sys'; allow servers/go 'lib/core|lib/sys|servers/go'
	allow loadgen 'lib/core|lib/sys|loadgen'; allow harness 'lib/core|lib/sys|harness')
[ -z "$wrong" ] || fail "against the direction lib/core <- lib/sys <- programs:
$wrong"

# the core may include the language's own headers only, and call nothing that does I/O, allocates or keeps state
allowed_headers='assert|limits|math|stdatomic|stdbool|stddef|stdint|string|sys/types'
wrong=$(grep -nE '^#include <' lib/core/*.c lib/core/*.h | grep -vE "<($allowed_headers)\.h>")
[ -z "$wrong" ] || fail "the core includes a system header:
$wrong"
allowed_symbols='memcpy|memmove|memcmp|memchr|memset|strlen|sqrt|log|exp|atan|floor|_GLOBAL_OFFSET_TABLE_|__stack_chk_fail'
own=$(nm --defined-only "$build/libcore.a" | awk 'NF == 3 { print $3 }' | sort -u)
wrong=$(nm -u "$build/libcore.a" | awk '$1 == "U" { print $2 }' | sort -u | grep -vxE "$allowed_symbols|__(asan|ubsan|sanitizer)_.*" |
	while read -r symbol; do echo "$own" | grep -qxF "$symbol" || echo "$symbol"; done)
[ -z "$wrong" ] || fail "the core calls what is not pure: $(echo $wrong)"
[ "$failed" = 0 ] && echo "layers: core is pure, includes run one way"
exit $failed
