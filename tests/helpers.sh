# helpers.sh: what the tests written in shell share; they source it in the project's root.
work=$(mktemp -d) # a folder of the test's own
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0

pass() { passed=$((passed + 1)); }
fail() { failed=$((failed + 1)); echo "FAILED: $*"; }
skip() { skipped=$((skipped + 1)); echo "skipped: $*"; }
# holds WHAT COMMAND...: the command succeeds
holds() {
	what=$1
	shift
	if "$@" >/dev/null 2>&1; then pass; else fail "$what"; fi
}
# expect CODE PATTERN COMMAND...: exit code; standard error is one line that holds the pattern
expect() {
	code=$1 pattern=$2
	shift 2
	timeout 60 "$@" >"$work/out" 2>"$work/err" </dev/null
	got=$?
	if [ $got != "$code" ]; then fail "$* exits $got, not $code: $(cat "$work/err")"
	elif [ "$(wc -l <"$work/err")" != 1 ]; then fail "$* says more or less than one line: $(cat "$work/err")"
	elif ! grep -q -- "$pattern" "$work/err"; then fail "$* does not say '$pattern': $(cat "$work/err")"
	else pass; fi
}
children_of() { grep -l "^PPid:[[:space:]]*$1\$" /proc/[0-9]*/status 2>/dev/null | cut -d/ -f3 | tr '\n' ' '; }
# finish: the closing line, and the exit code
finish() {
	echo "$passed passed, $failed failed$([ $skipped = 0 ] || echo ", $skipped skipped")"
	[ $failed = 0 ]
}
