# inbox-pool.sh - the workers of an inbox among themselves, and beside others.
. tests/inbox.sh
with_inbox "attempts = 1" "workers = 3"

works
for n in 1 2 3; do
	give_all "a-$n $n fail \"ms\":1000"
done
until_true 20 is_drained
rm -f "$book"
"$app" inbox retry --failed >"$work/retried"
until_true 20 is_drained
claim "as many workers are woken as there is work for" \
    same 3 "$(cut -d ' ' -f 5 "$book" | sort -u | wc -l)"

# children - of the service.
children() {
	cat "/proc/$service/task/$service/children"
}

# replaced - all three are there, none of them $old, and each with $mine open.
replaced() {
	new=$(children)
	# shellcheck disable=SC2086 # a list of words
	set -- $new
	[ $# = 3 ] || return 1
	for child; do
		case " $old " in *" $child "*) return 1 ;; esac
		readlink "/proc/$child/fd"/* | grep -qxF "$mine" || return 1
	done
}

mine=$inbox
inbox=$run/other
with_inbox "workers = 3"
give_all "b-1 1 ok"
until_true 10 is_drained
old=$(children)
# shellcheck disable=SC2086 # a list of words
kill -9 $old
claim "a worker that is replaced takes its pool's inbox, also when the \
configuration names another by then" until_true 10 replaced
kill "$service"
gone "$service"
until_true 10 no_pool

# failed_with STATUS PID - it has ended so.
failed_with() {
	gone "$2" || return 1
	wait "$2"
	[ $? = "$1" ]
}

# stores NAME FILE - a command, $work/NAME, that gives this event.
stores() {
	printf 'GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=POST \
CONTENT_LENGTH=%s %s <%s >>%s 2>&1\n' "$(stat -c %s "$2")" "$app" "$2" \
	    "$run/stderr" >"$work/$1"
}

# An event that comes when the last worker has seen that there is none.
inbox=$run/late
with_inbox "workers = 1" "attempts = 1" "handler_timeout = 1s"
stores hang "$(task d-2 1 hang)"
give_all "d-1 1 ok \"at_exit\":\"sh\\u0020$work/hang\""
claim "a handler that hangs in the last look is killed as well" \
    until_true 20 no_pool
claim "and its event parked" \
    same "killed: it ran longer than handler_timeout (1 s)" "$(reason d-2)"

# The same when the other worker has much to do.
inbox=$run/busy
with_inbox "workers = 2"
"$app" work --once
"$byte_lock" "$inbox-lock" 1 sleep 60 &
keeper=$!
ends $keeper
stores next "$(task i-3 73 ok)"
echo "sleep 0.3" >>"$work/next"	# the parent is woken before the worker ends
give_all "i-1 71 ok \"hold\":\"$run/i\"" \
    "i-2 72 ok \"at_exit\":\"sh\\u0020$work/next\""
kill $keeper
gone $keeper
"$app" work --once 2>>"$run/stderr" &
once=$!
ends $once
claim "an event that comes while one of two workers leaves does not wait for \
the other" until_true 10 done_are i-3
: >"$run/i"
gone $once
claim "... nor does that one's" done_are i-1 i-2

# What handlers have registered for the end of the process does not end.
inbox=$run/endless
with_inbox "workers = 1" "handler_timeout = 1s"
works
give "$(task g-1 11 ok "\"hold\":\"$run/g\"" \
    "\"at_exit\":\"echo \$\$ >$run/endless; exec sleep 300\"")" >"$work/answer"
booked_has "begin 11 1 1"
kill -9 "$service"
gone "$service"
: >"$run/g"
claim "a worker that does not end by itself keeps nobody waiting" \
    timeout 30 "$app" work --once
ends "$(cat "$run/endless")"
claim "and the log says why it was killed" \
    has "$log" "atexit(3) functions of handlers ran longer"

# The folder goes away while the service has it open, and an event makes a new
# one's workers: those of the old one must not join in.
mkdir "$work/folder"
inbox=$work/folder/inbox
with_inbox "workers = 3"
works
give_all "c-1 1 ok"
until_true 10 is_drained
mv "$work/folder" "$work/away"
mkdir "$work/folder"
give_all "c-2 2 ok"
until_true 10 is_drained
# As `inbox retry` would wake them, had it not moved.
head -c 1 "$work/away/inbox-lock" >"$work/woken"
claim "workers whose inbox was moved away leave" gone "$service"
claim "with a status that makes a service start again" \
    failed_with 1 "$service"
claim "and the log says why" has "$log" "folder/inbox was moved or deleted"

# Stop signals are for the parent: one that all get ends no handler.
inbox=$run/signalled
with_inbox "workers = 1"
works
give_all "f-1 10 ok \"hold\":\"$run/f\""
until_true 10 grep -q "^begin 10 1" "$book"
claim "what a handler starts inherits blocked HUP, INT, USR1 and TERM" \
    grep "^SigBlk:.0000000000004203$" "/proc/$(children | tr -d ' ')/status"
for signal in HUP INT USR1 TERM; do
	kill -$signal "$(children | tr -d ' ')"
done
: >"$run/f"
claim "no stop signal ends a handler" booked_has "end 10 1 1"
kill "$service"
gone "$service"

# Of one that dies when the lock is gone already.
inbox=$run/unlocked
with_inbox "workers = 1" "handler_timeout = 1m"
works
give_all "e-1 9 hang"
until_true 10 grep -q "^begin 9 1" "$book"
rm "$inbox-lock"
kill -9 "$(children | tr -d ' ')"
claim "its replacement leaves too, and what was in hand stays there" \
    failed_with 1 "$service"

# Without inotify.
inbox=$run/unwatched
with_inbox "workers = 3"
works_unwatched() {
	env ASAN_OPTIONS=verify_asan_link_order=0 \
	    LD_PRELOAD="$root/$O/tests/preload/no-inotify.so" \
	    "$app" "$@" >"$run/work.log" 2>&1 &
	service=$!
	ends $service
	until_true 10 is_working
}
works_unwatched work
give_all "h-1 61 ok"
claim "without inotify an event is found all the same" \
    until_true 5 done_are h-1
claim "the log says so, once" same 1 "$(grep -c "no inotify" "$log")"
kill "$service"
gone "$service"
works_unwatched work --until-idle
"$app" work >"$run/work.log" 2>&1 &
service=$!
ends $service
claim "without inotify a pool leaves for a service as well" \
    until_true 10 serves
kill "$service"
gone "$service"

# No worker can begin: each needs a timer.
inbox=$run/no-timers
with_inbox "workers = 2"
prlimit --sigpending=0 "$app" work >"$run/work.log" 2>&1 &
service=$!
ends $service
until_true 10 is_working

# sleeps - how often the service has waited.
sleeps() {
	sed -n 's/^voluntary_ctxt_switches:[^0-9]*//p' "/proc/$service/status"
}

tried_for_long() {
	[ "$(sleeps)" -gt $((begun + 40)) ]
}
begun=$(sleeps)
until_true 30 tried_for_long
claim "workers that cannot begin are tried again, but logged once a minute" \
    same 1 "$(grep -c "out of descriptors" "$log")"
kill "$service"
gone "$service"

# A log that is no file: the journal, or what a web server reads.
inbox=$run/piped
with_inbox "workers = 1"
sed -i "s|^log = .*|log = stderr|" "$work/app/vkcb.conf"
mkfifo "$work/pipe"
cat "$work/pipe" >"$work/piped" &
ends $!
responder 2>"$work/pipe"
"$fcgi" "$run/vkcb.socket" post "$(task d-1 1 ok)" answer >"$work/out"
claim "workers that a FastCGI responder starts log where it does" \
    until_true 10 grep -q "handler=task outcome=ok" "$work/piped"

has_no_child() {
	[ -z "$(cat "/proc/$responder/task/$responder/children")" ]
}
kill "$(owner)"
until_true 10 no_pool
claim "a pool that left is no zombie of the responder" \
    until_true 10 has_no_child

done_testing
