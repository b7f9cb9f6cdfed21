#!/bin/sh
# Begins a new model: copies scripts/skeleton.c to servers/NAME.c.
#   scripts/new-server.sh NAME
set -eu
cd "$(dirname "$0")/.."
name=${1:-}
if ! echo "$name" | grep -qxE '[a-z][a-z0-9_]{0,29}' || [ "$name" = all ]; then
	echo "new-server: make new-server NAME=mine; a name is up to 30 of a-z, 0-9 and _, a letter first, and not all" >&2
	exit 2
fi
for source in "servers/$name.c" "servers/$name.cc" "servers/rust/src/bin/$name.rs" "servers/$name/$name.go"; do
	if [ -e "$source" ]; then
		echo "new-server: $source is there already; choose another NAME" >&2
		exit 2
	fi
done
sed "s/NAME/$name/g" scripts/skeleton.c >"servers/$name.c"
cat <<END
servers/$name.c is there, builds and serves. Next:
  make check SERVER=$name          does it still speak HTTP as the others do?
  make bench PLAN=quick            see it beside them
  make diff A=epoll B=$name        what is your model?
END
