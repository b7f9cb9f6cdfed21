#!/bin/sh
# Writes build/config.mk: for each program the flags of the libraries it needs, and which servers are skipped.
# A server names its libraries in a line of its opening comment:   * needs: libuv
set -eu
cd "$(dirname "$0")/.."
PKG_CONFIG_PATH="scripts/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
export PKG_CONFIG_PATH
# files of our own in scripts/pkgconfig stand there whether or not the library does: they name a header for the compiler,
# or a command
have() {
	pkg-config --exists "$1" || return
	command=$(pkg-config --variable=command "$1")
	[ -z "$command" ] || PATH=$PATH:/usr/sbin command -v "$command" >/dev/null || return
	header=$(pkg-config --variable=header "$1")
	[ -z "$header" ] || echo "#include <$header>" | ${CC:-cc} -E - >/dev/null 2>&1
}
package_of() { awk -v module="$1" '$2 == module { print $1 }' scripts/packages.txt; }

# skip SOURCE PACKAGES: visibly
skip() {
	echo "SKIPPED += $(basename "${1%.*}")"
	echo "skipped: $1, which needs:$2 (scripts/setup.sh installs it)" >&2
}

servers=
for source in servers/*.c servers/*.cc; do
	name=$(basename "${source%.*}")
	needs=$(sed -n 's/^ \* needs: *//p' "$source")
	lacking=
	[ "${source##*.}" = c ] || command -v "${CXX:-c++}" >/dev/null || lacking=" $(package_of c++)"
	for module in $needs; do have "$module" || lacking="$lacking $(package_of "$module")"; done
	if [ -n "$lacking" ]; then
		skip "$source" "$lacking"
		continue
	fi
	servers="$servers $name"
	if [ -n "$needs" ]; then
		echo "CFLAGS_$name := $(pkg-config --cflags $needs)"
		echo "LIBS_$name := $(pkg-config --libs $needs)"
	fi
done

# Rust's runtimes: Debian's cargo goes with Debian's rustc; without it another will do
lacking=
cargo=$(PATH="/usr/bin:$PATH" command -v cargo) || lacking=" cargo"
for crate in tokio smol async-std; do
	ls -d /usr/share/cargo/registry/$crate-[0-9]* >/dev/null 2>&1 || lacking="$lacking librust-$crate-dev"
done
for source in servers/rust/src/bin/*.rs; do
	name=$(basename "$source" .rs)
	if [ -n "$lacking" ]; then
		skip "$source" "$lacking"
	else
		rust="${rust-} $name"
	fi
done
if [ -z "$lacking" ]; then
	[ "$cargo" != /usr/bin/cargo ] || cargo="RUSTC=/usr/bin/rustc $cargo"
	echo "CARGO := $cargo"
	echo "RUST_SERVERS :=$rust"
fi

# Go: Debian's, where there are several
if go=$(PATH="/usr/bin:$PATH" command -v go); then
	servers="$servers go"
	echo "GO := $go"
else
	skip servers/go/go.go " golang-go"
fi
echo "SERVERS :=$servers${rust-}"
for part in harness:sqlite3,jansson,inih,zlib,libmd,libnl-genl-3.0,hiredis,libbpf,libseccomp servers:hiredis loadgen:jansson,inih,zlib \
	tests:cmocka,jansson,inih,zlib,hiredis; do
	modules=$(echo "${part#*:}" | tr , ' ')
	name=${part%%:*}
	for module in $modules; do
		if ! have "$module"; then
			echo "$name needs $module: install $(package_of "$module"), or run scripts/setup.sh" >&2
			[ "$name" = tests ] && continue 2
			exit 1
		fi
	done
	echo "CFLAGS_$name := $(pkg-config --cflags $modules)"
	echo "LIBS_$name := $(pkg-config --libs $modules)"
done
