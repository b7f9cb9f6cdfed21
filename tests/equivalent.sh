#!/bin/sh
# The servers that claim to be equivalent: all that are built, without the references.
#   BUILD=build tests/equivalent.sh
for program in "${BUILD:-build}"/servers/*; do
	"$program" --describe | grep -q '"family": "reference"' || basename "$program"
done
