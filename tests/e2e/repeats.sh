# repeats.sh - without an inbox, an event that VK repeats is handled once, by
# FastCGI and CGI, while processes are killed. REPEATS=10000 sends so many.
. tests/inbox.sh

count=${REPEATS:-300}
# shellcheck disable=SC2034 # for configure
repeats=once
configure "state = $run"

# runs ID - how often the handler of this event was started.
runs() {
	grep -c "^begin ${1%-*} ${1#*-} " "$book" 2>/dev/null
}

# twice ID ACTION ANSWER RUNS - the event is sent twice, and answered so.
twice() {
	twice_body=$(task "$1" "${1%-*}" "$2")
	same "$3 $3" "$(give "$twice_body") $(give "$twice_body")" &&
	    same "$4" "$(runs "$1")"
}

claim "a repeat is answered ok, and runs no handler" twice 9001-1 ok ok 1
claim "the log says that it was handled before" has "$log" "handled before"
claim "a handler that gave up is done" twice 9002-1 giveup ok 1
claim "a handler that failed runs again" \
    twice 9003-1 fail "Handler Failed" 2
claim "one that wants another answer gives that again" \
    twice 9004-1 remove remove 2
claim "so does one that crashed" twice 9005-1 crash "" 2
without_id() {
	sed 's/"event_id":"[^"]*",//' "$(task 9006-1 9006 ok)" >"$work/without"
	same "ok ok" "$(give "$work/without") $(give "$work/without")" &&
	    same 2 "$(runs 9006-1)"
}
claim "an event without an id runs again" without_id
another_group() {
	sed "s/\"group_id\":$group/\"group_id\":5/" \
	    "$(task 9001-1 9001 ok)" >"$work/group"
	same ok "$(give "$work/group")" && same 2 "$(runs 9001-1)"
}
claim "another group's event with the same id is another event" another_group
claim "the file has 1 MiB" same 1048576 \
    "$(stat -c %s "$run/vkcb-$(id -u)-repeats")"
trigger_again() {
	for _ in 1 2; do
		VKCB_CONF="$work/app/vkcb.conf" "$app" trigger --file \
		    "$(task 9007-1 9007 ok)" >"$work/out" 2>&1 || return 1
	done
	same 2 "$(runs 9007-1)"
}
claim "trigger runs the handlers each time" trigger_again

# While the first runs, a repeat is refused after a while, or sees its end.
give "$(task 9008-1 9008 ok "\"hold\":\"$run/hold\"")" >"$work/first" &
first=$!
until_true 10 grep -q "^begin 9008 " "$book"
claim "a repeat of a running event is answered 503" \
    same "Still Running" "$(give "$(task 9008-1 9008 ok)")"
: >"$run/hold"
wait $first
claim "after its end the repeat is answered ok" \
    same "ok ok 1" "$(cat "$work/first") $(give "$(task 9008-1 9008 ok)") $(runs 9008-1)"

# A handler whose process is killed.
rm "$run/hold"
give "$(task 9009-1 9009 ok "\"hold\":\"$run/hold\"")" >"$work/first" &
until_true 10 grep -q "^begin 9009 " "$book"
kill -9 "$(awk '$2 == 9009 { print $5 }' "$book")"
claim "an event whose handler was killed runs again" \
    same "ok 2" "$(give "$(task 9009-1 9009 ok)") $(runs 9009-1)"

repeats=again
configure "state = $run"
claim "repeats = again: handlers run again" twice 9010-1 ok ok 2

# No folder.
repeats=once
configure "state = $work/nowhere"
claim "without the folder the file is in TMPDIR" twice 9011-1 ok ok 1
nowhere() {
	TMPDIR=/nowhere
	twice 9012-1 ok ok 2
	status=$?
	TMPDIR=$work
	return $status
}
claim "without any folder handlers run again" nowhere
claim "the log says so" has "$log" "repeated events are handled again"
check() {
	VKCB_CONF="$work/app/vkcb.conf" "$app" check >"$work/out" 2>&1
	"$1" "$work/out" "repeated events"
}
claim "check warns of a folder that does not exist" check has
configure "state = $run"
claim "check has nothing against a good one" check lacks

#
# Storms.
#

# judge_runs - prints each run of an event that follows another one whose
# process was not killed, and the events without a run to the end.
judge_runs() {
	awk -v killed="$work/killed" -v first="$first" -v events="$events" '
	BEGIN {
		while ((getline line <killed) > 0)
			dead[line] = 1
	}
	$1 == "begin" {
		if ($2 in last && !(last[$2] in dead))
			print $2 " runs again, nobody was killed"
		again += $2 in last
		last[$2] = $5
	}
	$1 == "end" { ended[$2] = 1 }
	END {
		for (i = first; i < first + events; i++)
			if (!(i in ended))
				print i " was not handled"
		print again + 0 >"/dev/stderr"
	}' "$book" 2>"$work/again"
}

# repeat_storm KILLS - sends each event about ten times, with so many kills.
repeat_storm() {
	rm -f "$book"
	: >"$work/killed"
	first=$((first + count))
	events=$((count / 10))
	"$root/$O/tests/tool/vk-repeats" "$port" "$group" "$secret" "$book" \
	    "$first" "$events" "$count" 20 120 >"$work/sent" &
	sender=$!
	ends $sender
	[ "$1" = 0 ] || "$root/$O/tests/tool/killer" "$app" "$1" 3 100 \
	    "$work/killed" &
	killer=$!
	wait $sender || return 1
	kill $killer 2>/dev/null
	wait $killer
	judge_runs >"$work/wrong"
	echo "# $events events: $(cat "$work/sent"); $(wc -l <"$work/killed")" \
	    "killed, $(cat "$work/again") second runs" >>"$work/figures"
	[ "$(cat "$work/again")" -le "$(wc -l <"$work/killed")" ] &&
	    same "" "$(cat "$work/wrong")"
}

# Eight processes on one socket; a killed one is started again at once.
cat >"$work/eight" <<'END'
exec 3<&0
keep() {
	trap 'kill $one; exit' TERM
	while :; do
		"$1" <&3 3<&- &
		one=$!
		wait $one
	done
}
for _ in 1 2 3 4 5 6 7 8; do
	keep "$1" &
	all="$all $!"
done
trap 'kill $all; wait; exit' TERM
wait
END

fastcgi_host() {
	spawn-fcgi -n -s "$run/vkcb.socket" -M 0666 -b 1024 -- \
	    /bin/sh "$work/eight" "$app" 2>>"$run/stderr" &
	eight=$!
	ends $eight
	until_true 10 test -S "$run/vkcb.socket"
	cat >"$run/vkcb.conf" <<END
server.modules += ( "mod_fastcgi" )
fastcgi.server += ( "/callback" => (( "socket" => "$run/vkcb.socket",
	"check-local" => "disable", "disable-time" => 0 )) )
END
}

cgi_host() {
	kill $eight
	from_contrib lighttpd-cgi.conf >"$run/vkcb.conf"
}

first=10000
for host in fastcgi cgi; do
	${host}_host
	lighttpd_server
	claim "$host: $count deliveries run each handler once" repeat_storm 0
	claim "$host: and so while processes are killed, but for the killed" \
	    repeat_storm $((count / 10))
	kill $server
	gone $server
	port=$(free_port)
	url=http://127.0.0.1:$port/callback
done
cat "$work/figures"

done_testing
