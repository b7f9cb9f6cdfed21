#!/bin/sh
# Installs what scripts/packages.txt lists and this machine lacks.
#   scripts/setup.sh          install (apt-get; with sudo when not root)
#   scripts/setup.sh --check  only say what is missing; exit 1 if anything is
# Without a way to install, one line names the packages; it fails only when the build cannot do without them.
set -eu
cd "$(dirname "$0")"
list() { awk -v group="$1" '!/^#/ && NF { if (group == "" || $3 == group) print $1 }' packages.txt; }
installed() { dpkg-query -W -f='${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed; }
missing() { for package in $(list "$1"); do installed "$package" || printf '%s ' "$package"; done; }

if ! command -v dpkg-query >/dev/null; then
	echo "setup: not a Debian system; install the equivalents of: $(list '' | tr '\n' ' ')" >&2
	exit 0
fi
packages=$(missing "")
if [ -z "$packages" ]; then exit 0; fi
if [ "${1:-}" = --check ]; then
	echo "missing: $packages"
	exit 1
fi

as_root=
if [ "$(id -u)" != 0 ]; then
	if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then as_root=sudo; else as_root=none; fi
fi
if [ "$as_root" = none ] || ! command -v apt-get >/dev/null; then
	echo "setup: as root, run: apt-get install --no-install-recommends $packages" >&2
else
	echo "setup: installing $packages"
	log=$(mktemp)
	if ! { $as_root apt-get update -qq &&
		$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages; } >"$log" 2>&1
	then
		tail -n 5 "$log" >&2
		echo "setup: apt-get failed; mend that, or as root run: apt-get install --no-install-recommends $packages" >&2
	fi
	rm -f "$log"
	# Debian starts these as services; here the harness starts them, when it needs them
	for service in nginx redis-server; do
		case " $packages" in
		*" $service "*) [ ! -d /run/systemd/system ] || $as_root systemctl disable --quiet --now $service || true ;;
		esac
	done
fi
packages=$(missing base)
if [ -n "$packages" ]; then
	echo "setup: the build needs $packages" >&2
	exit 1
fi
