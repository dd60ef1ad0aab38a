# inbox-leave.sh - pools that leave, and the pools after them: no event that was
# answered ok waits for the next one.
. tests/inbox.sh

# pools - how many parents there are of pools that an event started.
pools() {
	for process in /proc/[0-9]*; do
		[ "$(readlink "$process/exe")" = "$app" ] &&
		    tr '\0' ' ' <"$process/cmdline" | grep -q until-idle &&
		    ! grep -q '^PPid:.*[^0-9]'"$(owner)"'$' "$process/status" &&
		    echo "$process"
	done 2>/dev/null | wc -l
}

pools_are() {
	[ "$(pools)" = "$1" ]
}

is_waiting() {
	[ "$(state c-1)" = "00-audit done task waiting" ]
}

# failed_with STATUS PID
failed_with() {
	wait "$2"
	[ $? = "$1" ]
}

# Between the last look and the end of the parent.
inbox=$run/late
with_inbox
give "$(task a-1 1 ok)" HOLD_EXIT="$run/a" \
    ASAN_OPTIONS=verify_asan_link_order=0 \
    LD_PRELOAD="$root/$O/tests/preload/hold-exit.so" >"$work/answer"
claim "workers leave when the inbox is empty" \
    until_true 20 test -e "$run/a.held"
claim "they are called vkcb" same vkcb "$(cat "/proc/$(owner)/comm")"
for n in 2 3 4; do
	give "$(task a-$n $n ok)" >"$work/answer"
done
claim "events that come while they leave start one pool, which waits" \
    until_true 10 pools_are 2
claim "and accepts events" is_working
: >"$run/a.go"
claim "it handles them when those are gone" \
    until_true 20 done_are a-2 a-3 a-4
until_true 20 no_pool

# Events between the decision to leave and its first step, which is that the
# pool accepts no more events.
both_wait() {
	[ "$(state h-2), $(state h-3)" = \
	    "00-audit done task waiting, 00-audit done task waiting" ]
}

inbox=$run/leaving
with_inbox "workers = 2" "backoff = 1h"
give "$(task h-1 21 ok)" HOLD_LEAVE="$run/h" \
    ASAN_OPTIONS=verify_asan_link_order=0 \
    LD_PRELOAD="$root/$O/tests/preload/hold-exit.so" >"$work/answer"
until_true 20 test -e "$run/h.held"
give_all "h-2 22 crash" "h-3 23 crash"
claim "a pool that is about to leave still accepts events" pools_are 1
: >"$run/h.go"
claim "events that come when a pool begins to leave are handled by it" \
    booked_has "begin 22 2 1"
claim "... all of them" booked_has "begin 23 3 1"
claim "what crashes then waits for its time" until_true 20 both_wait
claim "... and is not called before" lacks "$book" "begin 22 2 2" \
    "begin 23 3 2"
claim "... and no other reason is given for it" \
    lacks "$log" "the workers were killed"
kill "$(owner)"
until_true 10 no_pool

# A stop that takes its time.
inbox=$run/stop
with_inbox "workers = 1" "backoff = 1h"
works
give_all "b-1 1 ok \"hold\":\"$run/b\""
booked_has "begin 1 1"
kill "$service"
until_true 10 no_one_listens
claim "a service that is told to stop accepts no event, while a handler runs" \
    no_one_listens
give_all "b-2 2 ok"
claim "an event that comes then starts a pool, which waits" \
    until_true 10 pools_are 1
: >"$run/b"
claim "what ran is finished" gone "$service"
claim "and the event handled" until_true 20 done_are b-1 b-2
until_true 20 no_pool

rm "$run/b"
works
give_all "b-3 3 ok \"hold\":\"$run/b\""
booked_has "begin 3 3"
kill "$service"
until_true 10 no_one_listens
give_all "b-4 4 ok \"ms\":100"
until_true 10 is_working
first=$service
"$app" work >"$run/work.log" 2>&1 &
service=$!
ends $service
: >"$run/b"
gone "$first"
claim "a service that is started then takes over from that pool" \
    until_true 20 serves
claim "and nothing is left" until_true 20 done_are b-3 b-4

# From elsewhere, with handlers that take longer than a lock of nobody's.
if unshare -pf true 2>"$run/stderr"; then
	rm -f "$run/b"
	kill "$service"
	gone "$service"
	unshare -pf "$app" work >"$run/work.log" 2>&1 &
	service=$!
	until_true 10 is_working
	elsewhere=$(tr -d ' ' <"/proc/$service/task/$service/children")
	ends "$elsewhere"
	give_all "b-9 9 ok \"hold\":\"$run/b\""
	booked_has "begin 9 9"
	kill "$elsewhere"
	until_true 10 no_one_listens
	timeout 8 "$app" work --once 2>"$run/work.log"
	claim "workers of another PID namespace are waited for" same 124 $?
	: >"$run/b"
	gone "$service"
	works
else
	skip "only root can make another PID namespace"
fi

# What ends badly on the way out.
give_all "b-5 5 exit \"hold\":\"$run/c\""
booked_has "begin 5 5"
kill "$service"
until_true 10 no_one_listens
: >"$run/c"
gone "$service"
claim "a handler that ends its process during a stop is noted for that" \
    same "the handler ended its process with status 3" "$(reason b-5)"
claim "and waits for its time" \
    same "00-audit done task waiting" "$(state b-5)"
claim "nothing is left running" same 0 "$(status running)"
with_inbox "workers = 2" "handler_timeout = 1s" "backoff = 1h"
works
give_all "b-6 6 ok" "b-7 7 hang"
until_true 10 done_are b-6
booked_has "begin 7 7"
kill "$service"
gone "$service"
claim "so is a handler that hangs" same \
    "killed: it ran longer than handler_timeout (1 s)" "$(reason b-7)"

# Killed altogether: nobody is there who would say so.
with_inbox "workers = 1" "backoff = 1h" "attempts = 2"
works
give_all "b-8 8 hang"
booked_has "begin 8 8"
kill -9 "$service"
until_true 10 no_pool
id=$("$app" inbox list --json --all | grep '"event_id":"b-8"' |
    sed 's/^{"id":\([0-9]*\).*/\1/')
claim "what nobody has in hand any more can be dropped" \
    "$app" inbox drop "$id"
claim "and its end is in the log" sh -c "grep 'will be tried again' '$log' |
    tail -n 1 | grep -q 'inbox=$id .*the workers were killed'"
claim "... and is gone" same "" "$(state b-8)"

# Signals that are ignored from the start.
inbox=$run/ignored
with_inbox
env --ignore-signal=CHLD --ignore-signal=HUP "$app" work >"$run/work.log" 2>&1 &
service=$!
ends $service
until_true 10 is_working
give_all "d-1 1 crash \"until\":2"
booked_has "begin 1 1 1"
claim "a worker that dies is replaced also where SIGCHLD is ignored" \
    until_true 20 has "$log" "crashed: signal 11"
kill "$service"
gone "$service"
event=$(task d-2 2 ok)
env --ignore-signal=CHLD GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=POST \
    CONTENT_LENGTH="$(stat -c %s "$event")" "$app" <"$event" >"$work/answer"
claim "an event starts workers also where SIGCHLD is ignored" \
    lacks "$log" "cannot wake or start"
claim "... which handle it" until_true 20 done_are d-2
kill "$(owner)"
until_true 10 no_pool

# The file of the lock is taken away.
inbox=$run/unlocked
with_inbox "workers = 1"
works
rm "$inbox-lock"
claim "a service whose lock was removed leaves with a status that makes it \
start again" failed_with 1 "$service"
claim "and the log says why" has "$log" "inbox $inbox was moved or deleted"
give_all "d-3 3 ok"
claim "and an event that comes then is handled" until_true 20 done_are d-3
kill "$(owner)"
until_true 10 no_pool

# Another program in its place. The old one has no handler that is called task.
old=$vkcb
new=$work/app/vkcb.new

# put_in_place FILE
put_in_place() {
	cp "$1" "$new"
	mv "$new" "$app"
}

inbox=$run/deploy
with_inbox "workers = 2" "backoff = 1h"
give_all "c-1 1 fail"
until_true 10 is_waiting
kill "$(owner)"
until_true 10 no_pool
put_in_place "$old"
"$app" work --until-idle 2>"$run/stderr" &
ends $!
until_true 10 is_working
put_in_place "$root/$O/tests/handlers/vkcb"
give_all "c-2 2 ok"
claim "a new program with a new handler handles its event by itself, though \
workers of the old one were there" until_true 20 done_are c-2
claim "... which say so" has "$log" "the program was replaced"
kill "$(owner)"
until_true 10 no_pool

put_in_place "$old"
works
put_in_place "$root/$O/tests/handlers/vkcb"
give_all "c-3 3 ok"
claim "a service of the old one leaves" gone "$service"
claim "with a status that makes it start again" failed_with 1 "$service"
works
claim "and the new one handles the event" until_true 20 done_are c-3
kill "$service"
gone "$service"

# Deploys that keep the old program: by renaming both, and by a link.
inbox=$run/renamed
with_inbox "workers = 1" "backoff = 1h"
put_in_place "$old"
responder 2>>"$run/stderr"
cp "$root/$O/tests/handlers/vkcb" "$new"
mv "$app" "$work/app/vkcb.old"
mv "$new" "$app"
"$fcgi" "$run/vkcb.socket" post "$(message hello)" answer >"$work/out"
until_true 10 is_working
claim "a responder whose file was renamed starts what is in its place" \
    same "$app" "$(readlink "/proc/$(owner)/exe")"
kill "$(owner)"
until_true 10 no_pool

# is_run_by FILE - the pool is one of this program.
is_run_by() {
	[ "$(readlink "/proc/$(owner)/exe")" = "$1" ]
}
exec 3>>"$app"
"$fcgi" "$run/vkcb.socket" post "$(message hello)" answer >"$work/out"
claim "while that is copied an event starts the old one, which waits for it" \
    until_true 10 is_run_by "$work/app/vkcb.old"
exec 3>&-
claim "... and starts it then" until_true 20 is_run_by "$app"
until_true 10 is_working
kill "$(owner)"
until_true 10 no_pool
: >"$work/empty"
chmod 755 "$work/empty"
put_in_place "$work/empty"
"$fcgi" "$run/vkcb.socket" post "$(message hello)" answer >"$work/out"
claim "a responder says that what is in its place cannot be run" \
    until_true 10 has "$log" "run/renamed: Exec format error: start"
put_in_place "$root/$O/tests/handlers/vkcb"
kill "$responder"

inbox=$run/linked
with_inbox "workers = 1" "backoff = 1h"
mkdir "$work/app/1" "$work/app/2"
mv "$work/app/vkcb.old" "$work/app/1/vkcb"
mv "$app" "$work/app/2/vkcb"
ln -s 1/vkcb "$app"
works
ln -s 2/vkcb "$new"
mv "$new" "$app"
give_all "c-5 5 ok"
claim "a service that was started by a link leaves when that is switched" \
    gone "$service"
works
claim "and what the link names now handles the event" \
    until_true 20 done_are c-5
kill "$service"
gone "$service"

inbox=$run/once
rm "$book"
with_inbox "workers = 1"
works
give_all "c-6 6 ok \"hold\":\"$run/e\""
booked_has "begin 6 6 1"
kill -9 "$service"
gone "$service"
"$app" work --once 2>"$run/stderr" &
ends $!
claim "a work --once takes over what a killed service ran" \
    booked_has "begin 6 6 2"
give_all "c-7 6 ok"
put_in_place "$app"
: >"$run/e"
claim "a work --once that leaves for the new one is followed by it" \
    until_true 20 done_are c-6 c-7
until_true 20 no_pool

cp "$app" "$work/app/gone"
"$work/app/gone" work >"$run/work.log" 2>&1 &
service=$!
ends $service
until_true 10 is_working
rm "$work/app/gone"
give_all "c-4 4 ok"
claim "workers whose program is only gone stay" until_true 20 done_are c-4
claim "... in service" serves
kill "$service"

done_testing
