# inbox.sh - stored events and their handlers.
. tests/inbox.sh
with_inbox "backoff = 10ms" "attempts = 3" "handler_timeout = 1s"

claim "an event is answered ok" same ok "$(give "$(task a-1 1 ok)")"
claim "an event is handled by a worker started for it" \
    booked "begin 1 1 1;end 1 1 1;"
until_true 10 is_drained
claim "a repeat of an event that is done is answered ok" \
    same ok "$(give "$(task a-1 1 ok)" HTTP_X_RETRY_COUNTER=1)"
claim "workers started for an event exit when idle" \
    until_true 20 no_pool
claim "a repeat is not handled again" \
    same "begin 1 1 1;end 1 1 1;" "$(noted)"
claim "no secret is in the inbox" sh -c \
    "! cat '$inbox' '$inbox-wal' | grep -qF '$secret'"
claim "the inbox is readable by its owner alone" same "600 600" \
    "$(stat -c %a "$inbox" "$inbox-wal" | tr '\n' ' ' | sed 's/ $//')"

works
claim "vkcb work runs once per inbox" sh -c \
    "'$app' work 2>'$work/second'; [ \$? = 1 ]"
claim "a second vkcb work says that workers run" \
    has "$work/second" "work: already running"
claim "work --once has nothing to do beside vkcb work" "$app" work --once

rm -f "$book"
give_all "b-1 2 fail \"until\":3" "b-2 2 ok" "b-3 3 ok \"a\":\"\\u0000\""
until_true 10 is_drained
claim "an object is stored with the escapes that VK sent" \
    same '"\u0000"' "$(sqlite3 "$inbox" "SELECT substr(CAST(object AS TEXT),
	instr(object, CAST('\u0000' AS BLOB)) - 1, 8) FROM event
	WHERE event_id = 'b-3'")"
claim "a failed attempt is retried" \
    same "begin 2 1 1;begin 2 1 2;begin 2 1 3;end 2 1 3;" \
    "$(grep '^[a-z]* 2 1 ' "$book" | cut -d ' ' -f 1-4 | tr '\n' ';')"
claim "the next event of the conversation waits for a retry" \
    same "end 2 1 3;begin 2 2 1;" "$(grep '^[a-z]* 2 ' "$book" |
    cut -d ' ' -f 1-4 | sed -n '/^end 2 1/,/^begin 2 2/p' | tr '\n' ';')"
claim "a handler that succeeded is not run again when another failed" \
    same 1 "$(grep 'msg=audited' "$log" | grep -c 'id=b-1')"

give_all "c-1 4 crash" "c-2 5 exit" "c-3 6 hang" "c-4 7 giveup" \
    "c-5 8 fail" "c-6 9 retry \"until\":2" "c-7 10 ok"
until_true 20 is_drained
claim "a handler that crashes is parked, with the signal" \
    same "crashed: signal 11 (Segmentation fault)" "$(reason c-1)"
claim "a handler that ends its process is parked, with the status" \
    same "the handler ended its process with status 3" "$(reason c-2)"
claim "a handler that hangs is killed and parked" \
    same "killed: it ran longer than handler_timeout (1 s)" "$(reason c-3)"
claim "a handler that hangs gets the configured number of attempts" \
    same 3 "$(grep -c 'begin 4 1' "$book")"
claim "a handler that gives up is parked at once" \
    same "begin 7 4 1;" "$(noted | grep -o 'begin 7 4 .;')"
claim "a handler that fails is parked after its attempts" \
    same "00-audit done task failed" "$(state c-5)"
claim "a handler that asks for a retry is retried" \
    same "00-audit done task done" "$(state c-6)"
claim "tasks beside failing ones are handled" \
    same "00-audit done task done" "$(state c-7)"

claim "an object that cannot be decoded is stored as failed" \
    same ok "$(give "$(event message_allow 5 >"$work/odd"; echo "$work/odd")")"
until_true 10 is_drained
claim "only handlers that take a struct fail without an object" \
    same "00-audit done typed-task failed" "$(state e1)"
claim "the log names a parked task without an object" sh -c "
	grep 'msg=.parked: see vkcb inbox list' '$log' |
	    grep 'id=e1 handler=typed-task' | grep -q 'not a JSON object'"

give_all "d-1 11 remove"
until_true 10 is_drained
claim "vkcb_remove is the answer to the group's next request" \
    same remove "$(give "$(task d-2 11 version)")"
until_true 10 is_drained
claim "vkcb_set_version is the answer to the next request, even to a repeat" \
    same "version 5.199" "$(give "$(task d-1 11 remove)")"
claim "vkcb_set_version is the answer only once" \
    same ok "$(give "$(task d-3 11 ok)")"
until_true 10 is_drained
claim "the event answered with a command is handled" \
    same "00-audit done task done" "$(state d-2)"

"$app" inbox list --failed >"$work/list"
claim "inbox list --failed shows failed tasks and the reasons" \
    has "$work/list" "signal 11"
claim "inbox list --failed shows only failed tasks" \
    same 6 "$(wc -l <"$work/list")"
id=$("$app" inbox list --failed --json | sed -n '/"c-5"/s/^{"id":\([0-9]*\).*/\1/p')
"$app" inbox show "$id" >"$work/show"
claim "inbox show prints the object" has "$work/show" '"do": "fail"'
claim "inbox show prints attempts and reasons" \
    has "$work/show" '"reason": "the handler failed"'
claim "inbox show prints no secret" lacks "$work/show" "$secret"
claim "inbox retry runs a task again, and names an unknown id" sh -c "
	! '$app' inbox retry $id 99999 2>'$work/errors' &&
	    grep -q '99999: no such event' '$work/errors'"
until_true 10 is_drained
claim "inbox retry starts from the first attempt" \
    same 6 "$(grep -c 'begin 8 5' "$book")"
claim "inbox drop deletes an event" "$app" inbox drop "$id"
claim "a dropped event is not shown" sh -c "! '$app' inbox show $id 2>/dev/null"

"$app" status >"$work/status"
claim "status prints the number of parked events" \
    has "$work/status" "parked          5"
claim "status --prometheus is valid for promtool" sh -c \
    "'$app' status --prometheus | promtool check metrics"
"$app" status --prometheus >"$work/metrics"
claim "status --prometheus has a histogram per handler" has "$work/metrics" \
    'vkcb_handler_run_seconds_bucket{handler="task",le="+Inf"}'

with_inbox "backoff = 1h"
give_all "e-0 15 fail"
until_true 10 sh -c "'$app' inbox list --waiting | grep -q 'task waiting'"
"$app" inbox tail >"$work/tail" &
ends $!
"$app" inbox tail --json --since 1h >"$work/tail-json" &
ends $!
"$app" inbox tail --failed >"$work/tail-failed" &
ends $!
until_true 10 test -s "$work/tail"
until_true 10 test -s "$work/tail-json"
until_true 10 test -s "$work/tail-failed"
give_all "e-1 12 ok" "e-2 16 giveup"
claim "inbox tail prints an event when it comes and when it ends" \
    until_true 10 grep -q "test_task  00-audit done  task done" "$work/tail"
claim "tail --failed prints a parked event" until_true 10 \
    sh -c "grep -c 'the handler gave up' '$work/tail-failed' | grep -qx 2"
# The retry is made due now: the last attempt fails.
kill "$service"
gone "$service"
sqlite3 "$inbox" 'UPDATE task SET due = 0; UPDATE queue SET due = 0'
with_inbox "attempts = 1"
"$app" work --once
claim "tail --failed prints an old event when it is parked" \
    until_true 10 grep -q "task failed (2): the handler failed" \
    "$work/tail-failed"
claim "tail --failed prints no other event" \
    same "" "$(sed '/failed/d' "$work/tail-failed")"

id=$("$app" inbox list --json | sed -n '$s/^{"id":\([0-9]*\).*/\1/p')
"$app" inbox drop "$id"
give_all "e-3 17 ok"
claim "tail goes on after the newest event was dropped" \
    until_true 10 grep -q '"event_id":"e-3".*"task","state":"done"' \
    "$work/tail-json"
until_true 10 is_drained
until_true 20 no_pool
for file in "$inbox" "$inbox"-*; do
	mv "$file" "$work/moved${file#"$inbox"}"
done
give_all "e-4 18 ok"
claim "tail goes on after the inbox was replaced" \
    until_true 10 grep -q '"event_id":"e-4".*"task","state":"done"' \
    "$work/tail-json"
until_true 20 no_pool
with_inbox "backoff = 10ms" "attempts = 3"
works
kill "$service"
claim "a service exits on SIGTERM" gone "$service"
claim "a stopped service has status 0" wait "$service"
claim "no worker remains of a stopped service" no_pool

give_all "f-1 13 ok \"hold\":\"$run/f\""
until_true 10 grep -q "begin 13" "$book"
"$app" work >"$run/work.log" 2>&1 &
service=$!
ends $service
claim "a service that waits for other workers says so" until_true 10 \
    has "$log" "waiting for workers to finish: fuser $inbox-lock shows them"
: >"$run/f"
claim "a service takes over from workers started by an event" \
    until_true 10 serves
claim "workers that are taken over finish their tasks" same "end 13 1 1;" \
    "$(noted | grep -o 'end 13 1 1;')"
kill "$service"
gone "$service"

with_inbox "backoff = 1h"
give_all "g-0 14 fail"
until_true 10 sh -c "'$app' inbox list | grep -q 'task waiting (1)'"
claim "inbox list shows waiting retries and the reasons" sh -c "
	'$app' inbox list | grep -q 'task waiting (1): the handler failed'"
id=$("$app" inbox list --waiting --json | sed 's/^{"id":\([0-9]*\).*/\1/')
give_all "g-1 14 ok"
"$app" inbox drop "$id" >/dev/null
claim "a dropped event lets its conversation go on" \
    until_true 10 grep -q "^end 14 1" "$book"

until_true 10 is_drained
until_true 20 no_pool
# More than a thousand unfinished events end at the same time.
sqlite3 "$inbox" "
	WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL
	    SELECT x + 1 FROM n WHERE x < 1201)
	INSERT INTO event SELECT 5000 + x, x, 9, 'many-' || x, 'many', '', 0,
	    unixepoch() * 1000, NULL, NULL, NULL FROM n;
	INSERT INTO task SELECT id, 0, 'none', 0, 1, 1e15, 1, 1, '', NULL FROM event
	    WHERE type = 'many';
	INSERT INTO queue SELECT id, NULL, 0, 1e15, 1, 0 FROM event
	    WHERE type = 'many';"
"$app" inbox tail --type many >"$work/tail-many" &
ends $!
until_true 10 test -s "$work/tail-many"
sqlite3 "$inbox" "UPDATE task SET state = 2 WHERE handler = 'none';
	DELETE FROM queue WHERE due = 1e15"
claim "tail prints the end of more than a thousand unfinished events" \
    until_true 20 sh -c "[ \$(grep -c 'none done' '$work/tail-many') = 1201 ]"

number=-123456789012345678901234567890
give_all "i-1 21 giveup \"n\":$number,\"token\":{\"a\":1}"
until_true 10 is_drained
id=$("$app" inbox list --json | sed -n '$s/^{"id":\([0-9]*\).*/\1/p')
"$app" inbox show "$id" >"$work/show"
claim "inbox show keeps the spelling of numbers" has "$work/show" \
    "\"n\": $number"
claim "inbox show masks keys with secrets" has "$work/show" \
    '"token": "(masked)"'
"$app" inbox drop "$id"

# misused TEXT ARGUMENT ... - vkcb inbox refuses the arguments with TEXT.
misused() {
	misused_text=$1
	shift
	"$app" inbox "$@" >"$work/output" 2>"$work/errors"
	[ $? = 2 ] && has "$work/errors" "$misused_text"
}

until_true 10 is_drained
give_all "h-1 19 giveup" "h-2 19 ok"
until_true 10 is_drained
until_true 20 no_pool
id=$("$app" inbox list --failed --json | sed -n '$s/^{"id":\([0-9]*\).*/\1/p')
for verb in retry drop; do
	claim "inbox $verb with an unknown id is refused" \
	    misused "abc is not an event's id" $verb "$id" abc
	claim "inbox $verb without an id is refused" \
	    misused "which event?" $verb
done
claim "a refused command changes nothing" same "00-audit done task failed" \
    "$(state h-1)"
claim "drop refuses an option" misused "drop takes no --failed" drop --failed
claim "retry refuses ids with options" misused "by their ids, or by options" \
    retry --failed "$id"
claim "retry refuses options without --failed" misused "which event?" \
    retry --type test_task
claim "inbox list refuses two states" misused "one at a time" \
    list --failed --waiting
claim "an unknown option is named" misused "unknown option --nope" \
    list --json --nope
claim "an option without its value is named" \
    misused "--group needs a value" list --group
"$app" inbox retry --failed --type nope >"$work/output"
"$app" inbox retry --failed --group 1 >>"$work/output"
claim "retry --failed selects by other options" \
    same "0 handlers will run again;0 handlers will run again;" \
    "$(tr '\n' ';' <"$work/output")"
claim "retry --failed without other options retries all" \
    sh -c "'$app' inbox retry --failed --type test_task \
    --group $group --since 1h | grep -q '1 handler will run again'"

printf '[group 5]\nsecret = none\n' >"$work/none.conf"
for command in work status inbox; do
	VKCB_CONF=$work/none.conf "$app" $command 2>"$work/errors"
	claim "vkcb $command without an inbox says how to get one" \
	    has "$work/errors" "vkcb: $command: no inbox: set inbox = PATH in"
done

printf '#!/bin/sh\n' >"$work/libsqlite3.so.0"
claim "without SQLite vkcb check says so" sh -c \
    "! LD_LIBRARY_PATH='$work' '$app' check >/dev/null 2>'$work/errors'"
claim "the missing SQLite is named" has "$work/errors" "the inbox needs SQLite"
claim "a responder does not start without SQLite" \
    same "Not Configured" "$(give "$(task g-1 1 ok)" LD_LIBRARY_PATH="$work")"

done_testing
