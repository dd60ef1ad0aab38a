# lib.sh - what end-to-end tests share. A test sources it from the project's
# folder: `. tests/lib.sh`. $work is a folder of its own, gone at the end;
# processes named to `ends` are ended with it.
# shellcheck shell=sh

set -u
O=${O:-build}
root=$(pwd)
export root
work=$(mktemp -d "${TMPDIR:-/tmp}/vkcb-test.XXXXXX")
chmod 755 "$work"
vkcb=$root/$O/tests/talk/vkcb	# not the user's: whatever handlers these are
bodies=$root/tests/bodies
failures=0
pids=
unset VKCB_CONF
# Where there is no `state`, vkcb's files are the test's own too.
export TMPDIR="$work"
# With LD_PRELOAD the address sanitizer is not the first library.
export ASAN_OPTIONS=verify_asan_link_order=0

# ends PID ... - these processes end with the test.
ends() {
	pids="$pids $*"
}

# logs_are_logfmt - each line in the logs of this test is, but for a web
# server's, and what vkcb says as a command ("vkcb: what: why").
logs_are_logfmt() {
	find "$work" -name "*log" ! -name "apache*" ! -name "lighttpd*" \
	    ! -name "nginx*" ! -perm /111 -type f -exec "$root/$O/tests/tool/logfmt" {} + &&
		return
	echo "not ok - every line of the logs is logfmt"
	return 1
}

clean_up() {
	status=$?
	for pid in $pids; do
		kill "$pid" 2>/dev/null
	done
	for pid in $pids; do
		gone "$pid" || kill -9 "$pid" 2>/dev/null
	done
	logs_are_logfmt || status=1
	rm -rf "$work"
	exit "$status"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

# gone PID - waits up to 10 s for a process to end; one that nobody has waited
# for yet has ended too.
gone() {
	for _ in $(seq 100); do
		grep -q '^State:.[^ZX]' "/proc/$1/status" 2>/dev/null ||
		    return 0
		sleep 0.1
	done
	return 1
}

# claim "sentence" COMMAND ... - the sentence is true if the command is.
claim() {
	sentence=$1
	shift
	if "$@" >"$work/claim.out" 2>&1; then
		echo "ok - $sentence"
	else
		echo "not ok - $sentence"
		sed 's/^/    /' "$work/claim.out"
		failures=$((failures + 1))
	fi
}

# same WANTED GOT - two texts are equal, byte for byte.
same() {
	[ "$1" = "$2" ] && return
	printf 'wanted: %s\n   got: %s\n' "$1" "$2"
	return 1
}

# has FILE TEXT - the file has the text somewhere.
has() {
	grep -qF -- "$2" "$1" && return
	echo "no \"$2\" in $1:"
	tail -n 20 "$1"
	return 1
}

# lacks FILE TEXT ... - the file has something, and none of these texts.
lacks() {
	lacks_file=$1
	shift
	[ -s "$lacks_file" ] || { echo "$lacks_file has nothing"; return 1; }
	for lacks_text; do
		! grep -F -- "$lacks_text" "$lacks_file" || return 1
	done
}

# finds_none FILE ARGUMENT ... - the file has something, and grep with these
# arguments selects no line of it.
finds_none() {
	finds_file=$1
	shift
	[ -s "$finds_file" ] || { echo "$finds_file has nothing"; return 1; }
	! grep "$@" "$finds_file"
}

# until_true SECONDS COMMAND ... - tries again until the command succeeds.
until_true() {
	tries=$(($1 * 20))
	shift
	while ! "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.05
	done
}

# free_port - a TCP port that nobody listens on.
free_port() {
	"$root/$O/tests/tool/free-port"
}

# cgi BODY-FILE [NAME=VALUE ...] - one request as CGI; the whole answer.
cgi() {
	cgi_body=$1
	shift
	env GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=POST \
	    CONTENT_LENGTH="$(stat -c %s "$cgi_body")" "$@" "$vkcb" \
	    <"$cgi_body" 2>>"$work/log"
}

# skip "why" [N] - N claims (1) cannot be tried on this machine.
skip() {
	for _ in $(seq "${2:-1}"); do
		echo "skip - $1"
	done
}

# sanitized PROGRAM - was it built with DEV=1?
sanitized() {
	grep -q __asan_init "$1"
}

# libraries PROGRAM - those it is linked with, but for the sanitizers', in a line.
libraries() {
	ldd "$1" | sed -n 's/^\t\(lib[a-z-]*\)\.so.*/\1/p' | sort |
	    grep -vxE 'lib(asan|ubsan|m)' | tr '\n' ' '
}

# done_testing - the last line of a test.
done_testing() {
	[ $failures = 0 ]
	exit
}
