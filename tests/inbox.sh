# inbox.sh - shared by the tests of the inbox. A test sources this file in the
# project's folder: `. tests/inbox.sh`. hosts.sh is included. Events are of type
# test_task, see tests/handlers/task.c.
# shellcheck shell=sh

. tests/hosts.sh

chmod 755 "$run"		# an inbox lives here

inbox=$run/inbox
book=$run/book			# what task.c noted
byte_lock=$root/$O/tests/tool/byte-lock
VKCB_CONF=$work/app/vkcb.conf
export VKCB_CONF

# with_inbox [LINE ...] - the configuration, with more lines for [vkcb].
with_inbox() {
	configure "inbox = $inbox" "$@"
}

# task ID PEER DO [MEMBER ...] - writes an event to a file, and prints its name.
# MEMBER is JSON such as '"until":3'.
task() {
	task_body=$(mktemp "$work/body.XXXXXX")
	task_id=$1
	{
		printf '{"type":"test_task","group_id":%s,"event_id":"%s",' \
		    "$group" "$task_id"
		printf '"v":"5.199","secret":"%s","object":{' "$secret"
		printf '"book":"%s","peer_id":%s,"seq":"%s","do":"%s"' \
		    "$book" "$2" "${task_id##*-}" "$3"
		shift 3
		[ $# = 0 ] || printf ',%s' "$@"
		printf '}}'
	} >"$task_body"
	echo "$task_body"
}

# give FILE [NAME=VALUE ...] - sends an event by CGI, without a web server; prints
# the body of the answer.
give() {
	give_body=$1
	shift
	env GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=POST \
	    CONTENT_LENGTH="$(stat -c %s "$give_body")" "$@" "$app" \
	    <"$give_body" 2>>"$run/stderr" | sed '1,/^\r$/d'
}

# give_all LINE ... - gives events one by one; a LINE has the arguments of `task`.
give_all() {
	for line in "$@"; do
		# shellcheck disable=SC2086 # a list of words
		give "$(task $line)" >/dev/null
	done
}

# status MEMBER - prints a number of vkcb status.
status() {
	"$app" status --json | sed 's/[{,]/\
/g' | sed -n "s/^\"$1\"://p" |
	    head -n 1
}

is_drained() {
	"$app" status --json |
	    grep -q '"waiting":0,"retrying":0,"running":0,'
}

# drain - handles all that is due, as cron would.
drain() {
	until_true 30 drained
}

drained() {
	"$app" work --once 2>>"$run/stderr"
	is_drained
}

# noted - prints the book without process numbers.
noted() {
	cut -d ' ' -f 1-4 "$book" 2>/dev/null | tr '\n' ';'
}

# booked LINES - waits until the book has these lines.
booked() {
	until_true 10 is_booked "$1" || same "$1" "$(noted)"
}

is_booked() {
	[ "$1" = "$(noted)" ]
}

# state ID - the states of an event's handlers: "00-audit done task failed".
state() {
	"$app" inbox list --json --all | grep "\"event_id\":\"$1\"" |
	    sed 's/.*"handlers"//' | tr '{' '\n' | sed -n \
	    's/.*"handler":"\([^"]*\)","state":"\([^"]*\)".*/\1 \2/p' |
	    tr '\n' ' ' | sed 's/ $//'
}

# done_are ID ... - the tasks of these events are done.
done_are() {
	for id; do
		[ "$(state "$id")" = "00-audit done task done" ] || return 1
	done
}

# reason ID - prints the reason why the event's task failed last.
reason() {
	"$app" inbox list --json --all | grep "\"event_id\":\"$1\"" |
	    sed -n 's/.*"reason":"\([^"]*\)".*/\1/p'
}

is_working() {
	"$app" status --json | grep -q '"workers":true'
}

no_one_listens() {
	! is_working
}

# works [ARGUMENT ...] - starts a service; its process is $service.
works() {
	"$app" work "$@" >"$run/work.log" 2>&1 &
	service=$!
	ends $service
	until_true 10 is_working
}

# owner - the parent of the pool that runs, or ran last.
owner() {
	cat "$inbox-lock"
}

# serves - the service is the pool, and accepts events.
serves() {
	[ "$(owner)" = "$service" ] && is_working
}

no_pool() {
	! is_working && "$byte_lock" "$inbox-lock" 0 true
}

# judge TAKEN KILLED - compares the book with the acknowledged events and the
# killed processes, and prints the errors. Peer 666 crashes by itself.
judge() {
	awk -v taken="$1" -v killed="$2" '
	BEGIN {
		while ((getline line <killed) > 0)
			dead[line] = 1
		while ((getline line <taken) > 0) {
			split(line, part, " ")
			if (part[1] != 666)
				acknowledged[part[1] " " part[2]] = 1
		}
	}
	$2 == 666 { next }
	{
		event = $2 " " $3
	}
	$1 == "begin" {
		if ($3 < begun[$2])
			print "out of order: " event " after " begun[$2]
		if ($3 > begun[$2] && begun[$2] && !ended[$2 " " begun[$2]])
			print event " begun before the end of " begun[$2]
		begun[$2] = $3
		# Judged now: pids come round again.
		pid = run_pid[event, runs[event]]
		if (runs[event] && !dead[pid] &&
		    !dead[run_parent[event, runs[event]]])
			print "twice, nobody was killed: " event
		else if (runs[event] && last[pid] != event)
			print "twice, another ran: " event
		runs[event]++
		run_pid[event, runs[event]] = $5
		run_parent[event, runs[event]] = $6
	}
	$1 == "end" { ended[event]++ }
	{ last[$5] = event }
	END {
		for (event in acknowledged)
			if (!ended[event])
				print "acknowledged, not handled: " event
	}' "$book"
}

# storm KILLS MS - sends events while a process is killed every MS milliseconds,
# KILLS times in all. Leaves $work/taken and $work/killed.
storm() {
	"$root/$O/tests/tool/vk-sender" "$port" "$group" "$secret" "$book" \
	    6 8 60 "$work/stop" >"$work/taken" &
	sender=$!
	ends $sender
	"$root/$O/tests/tool/killer" "$app" "$1" "$2" 40 "$work/killed"
	killed=$?
	: >"$work/stop"
	wait $sender && [ $killed = 0 ]
}

# all_is_well - the claims that hold after a storm.
all_is_well() {
	claim "the remaining events are handled" drain
	judge "$work/taken" "$work/killed" >"$work/wrong"
	claim "no acknowledged event is unhandled, none handled twice unless \
its process was killed, and conversations are in order" \
	    same "" "$(cat "$work/wrong")"
	claim "the database is intact" same ok \
	    "$(sqlite3 "$inbox" 'PRAGMA integrity_check')"
	claim "crashing tasks are parked" \
	    same "00-audit done task failed" "$(state 666-1)"
}

# booked_has TEXT - waits until the book has TEXT.
booked_has() {
	until_true 10 grep -q "^$1" "$book" || has "$book" "$1"
}
