# inbox-misbehave.sh - handlers that take what is not theirs: it costs them an
# attempt at most, and nobody else.
. tests/inbox.sh

# stays - the process that a handler forked, once it is there.
stays() {
	until_true 10 grep -q "^stays" "$book"
	sed -n 's/^stays.* \([0-9]*\) [0-9]*$/\1/p' "$book"
}

# failed_with STATUS COMMAND ...
failed_with() {
	wanted=$1
	shift
	"$@"
	[ $? = "$wanted" ]
}

# A process that a handler leaves behind.
with_inbox "workers = 1"
works
give_all "a-1 1 fork"
child=$(stays)
ends "$child"
until_true 10 done_are a-1
kill "$service"
gone "$service"
claim "a process that a handler forked is no worker when those are gone" \
    no_pool
claim "... and lives" kill -0 "$child"
give_all "a-2 2 ok"
claim "others take over" until_true 10 done_are a-2
until_true 20 no_pool

# One that returns from the handler, as if it were the worker.
works
give_all "b-1 1 twice" "b-2 2 ok"
claim "a worker goes on though a process that it forked came back too" \
    until_true 10 done_are b-1 b-2
claim "... which has done nothing" same 1 \
    "$(grep -c "id=b-1.*handler=task" "$log")"

# One that closes whatever it finds.
rm "$book"
with_inbox "workers = 1" "attempts = 2" "backoff = 10ms"
give_all "c-1 1 close" "c-2 2 ok"
until_true 20 is_drained
claim "a handler that closes what is not its own is parked for that" \
    same "the handler closed vkcb's own descriptors" "$(reason c-1)"
claim "... after its attempts" same 2 "$(grep -c "^begin 1 1 " "$book")"
claim "it is replaced alone" serves
claim "and others are handled" done_are c-2
kill "$service"
gone "$service"

# One that stops its process, ends it as if all were well, or blocks signals.
rm -f "$book"
with_inbox "workers = 1" "attempts = 1" "handler_timeout = 1s"
works
give_all "e-1 51 stop" "e-2 52 quit" "e-3 53 block" "e-4 54 ok"
until_true 20 is_drained
late="killed: it ran longer than handler_timeout (1 s)"
claim "a handler that stops its process is killed in its time" \
    same "$late" "$(reason e-1)"
claim "one that calls exit(0) has failed" \
    same "the handler ended its process with status 0" "$(reason e-2)"
claim "one that blocks and ignores all signals is killed in its time" \
    same "$late" "$(reason e-3)"
claim "each costs one attempt, and nobody else's" \
    same 1 "$(grep -c "^begin 54 4 1" "$book")"
kill "$service"
gone "$service"

# One that is in a hurry.
with_inbox "attempts = 2"
give_all "f-1 61 retry"
until_true 20 is_drained
claim "an inbox waits a second at least before it tries again" sh -c "
	grep 'will be tried again.*another time' '$log' | grep -q 'seconds=1$'"
until_true 20 no_pool

# One that goes elsewhere, where the configuration's name meant a file here.
inbox=$work/app/inbox
configure "inbox = inbox" "workers = 1"
(cd "$work/app" && VKCB_CONF=vkcb.conf exec "$app" work) >"$run/work.log" 2>&1 &
service=$!
ends $service
until_true 10 is_working
give_all "d-1 1 chdir" "d-2 2 ok"
claim "a handler may change its working directory" \
    until_true 10 done_are d-1 d-2
with_inbox "workers = 1" "log_level = debug"
give_all "d-3 3 ok"
until_true 10 done_are d-3
claim "... and a changed configuration is found after it" \
    has "$log" "configuration reloaded"
claim "... and the inbox" serves
kill "$service"
gone "$service"

# The lock in other hands; its text names a process that has nothing to do with
# it.
with_inbox
sleep 60 &
other=$!
ends $other
mkfifo "$work/held"
"$byte_lock" "$inbox-lock" 0 cat "$work/held" &
ends $!
exec 3>"$work/held"
echo "$other" >"$inbox-lock"
"$app" work 2>"$work/said" 3>&- &
service=$!
ends $service
claim "workers that find the lock held wait, and say where to look" \
    until_true 10 has "$log" \
    "waiting for workers to finish: fuser $inbox-lock shows them"
claim "... and end no other process" kill -0 "$other"
exec 3>&-
claim "... and begin when it is free" until_true 10 serves
kill "$service"
gone "$service"

done_testing
