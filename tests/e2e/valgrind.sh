# valgrind.sh - no invalid access and no leak: FastCGI, CGI into an inbox, the
# workers, commands. memory.sh has CGI without an inbox.
. tests/inbox.sh

if sanitized "$app"; then
	skip "the sanitizers of this build look at memory" 7
	done_testing
fi

# vkcb under valgrind, and whatever it starts: a log for each process.
watched=$work/watched
cat >"$watched" <<END
#!/bin/sh
EXE="$app" LD_PRELOAD="$root/$O/tests/preload/own-exe.so" \\
    exec valgrind -q --trace-children=yes --log-file="$work/valgrind.%p" \\
    --error-exitcode=99 --leak-check=full \\
    --errors-for-leak-kinds=definite,possible "$app" "\$@"
END
chmod 755 "$watched"

# is_sound N - the logs of at least N processes are there, and empty. A process
# looks for leaks when it has given up its locks.
is_sound() {
	find "$work" -name 'valgrind.*' >"$work/processes"
	while read -r process; do
		until_true 30 gone "${process##*.}"
	done <"$work/processes"
	[ "$(wc -l <"$work/processes")" -ge "$1" ] ||
	    { echo "too few processes"; return 1; }
	! xargs cat <"$work/processes" | grep .
}

# runs ARGUMENT ... - a command, which may fail.
runs() {
	rm -f "$work"/valgrind.*
	for arguments; do
		# shellcheck disable=SC2086 # a list of words
		"$watched" $arguments >"$work/out" 2>&1
		[ $? != 99 ] || { cat "$work"/valgrind.*; return 1; }
	done
	is_sound $#
}

# stored - by CGI.
stored() {
	rm -f "$work"/valgrind.*
	env GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=POST \
	    CONTENT_LENGTH="$(stat -c %s "$1")" "$watched" \
	    <"$1" >"$work/out" 2>>"$run/stderr"
	has "$work/out" "Status: 200" && is_sound 1
}

# Nobody works for now.
with_inbox "workers = 1"
echo >"$inbox-lock"
"$byte_lock" "$inbox-lock" 1 sleep 600 &
holder=$!
ends $holder
until_true 10 is_working
claim "CGI, an event is stored" stored "$(task a-1 1 ok)"

# served - answers of each kind, with the inbox and without.
served() {
	rm -f "$work"/valgrind.* "$run/vkcb.socket"
	spawn-fcgi -n -s "$run/vkcb.socket" -- "$watched" &
	responder=$!
	ends $responder
	until_true 10 test -S "$run/vkcb.socket"
	event message_new '{"message":{"text":1}}' >"$work/odd"
	event message_new '{}' wrong >"$work/wrong"
	printf '{"a"' >"$work/broken"
	"$fcgi" "$run/vkcb.socket" keep post "$bodies/message_new.json" \
	    answer post "$bodies/confirmation.json" answer \
	    post "$bodies/message_new.json" answer post "$work/odd" answer \
	    post "$work/wrong" answer post "$work/broken" answer \
	    >"$work/out" || { cat "$work/out"; return 1; }
	kill $responder
	gone $responder
	same 4 "$(grep -c '^ok\|^7d1a2b3c' "$work/out")" && is_sound "$1"
}
claim "FastCGI, with an inbox" served 1
configure
claim "FastCGI, without an inbox" served 1
claim "check, trigger" runs check \
    "trigger message_new object.message.text=fail"
with_inbox "workers = 1"
kill $holder
until_true 10 no_one_listens
claim "workers" runs "work --once"
claim "... which handle what was stored" done_are a-1
claim "inbox, status" runs "inbox list --all" "status --json"

done_testing
