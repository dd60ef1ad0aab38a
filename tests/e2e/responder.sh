# responder.sh - vkcb as a FastCGI responder, with all kinds of clients.
. tests/hosts.sh

socket=$run/vkcb.socket
good=$bodies/message_new.json
printf '{"a"' >"$work/piece"
size=$(stat -c %s "$good")
head -c 100 "$good" >"$work/first"
tail -c +101 "$good" >"$work/rest"

# client ACTION ... - a connection; prints the answers without headers.
client() {
	"$fcgi" "$socket" "$@" >"$work/out" || { cat "$work/out"; return 1; }
	tr -d '\r' <"$work/out" | sed '/^[A-Z][A-Za-z-]*: /d; /^$/d'
}

# answers WANTED ACTION ...
answers() {
	answers_wanted=$1
	shift
	answers_got=$(client "$@") && same "$answers_wanted" "$answers_got"
}

alive() {
	answers ok post "$good" answer
}

still_alive() {
	"$@" && alive
}

# accepted PID N - the process has N connections.
accepted() {
	same "$2" "$(find "/proc/$1/fd" -lname 'socket:*' |
	    sed 's,.*/,,' | grep -vc '^[012]$')"
}

### connections

responder

claim "a kept connection carries one request after another" \
    answers "ok
7d1a2b3c
ok" keep post "$good" answer post "$bodies/confirmation.json" answer \
    post "$good" answer

# A process has 70 connections that stay open and 10 that send nothing.
many_idle() {
	idle=
	for i in $(seq 70); do
		"$fcgi" "$socket" keep post "$good" answer make "$work/up.$i" \
		    await "$work/down" >"$work/idle.$i" &
		idle="$idle $!"
	done
	for i in $(seq 71 80); do
		"$fcgi" "$socket" make "$work/up.$i" await "$work/down" &
		idle="$idle $!"
	done
	for i in $(seq 80); do
		until_true 10 test -e "$work/up.$i" || return 1
	done
	alive && alive
	answered_while_idle=$?
	: >"$work/down"
	# shellcheck disable=SC2086 # a list of words
	wait $idle
	same 70 "$(cat "$work"/idle.* | grep -c '^ok$')" &&
	    return "$answered_while_idle"
}
claim "a process serves 70 kept connections, 10 silent ones and a new one" \
    many_idle
claim "idle connections are closed with their peers" \
    until_true 10 accepted "$responder" 0

# 600 connections stay silent. The last one sends its request after it was accepted,
# as the answer to the next one shows.
silent_crowd() {
	rm -f "$work/up" "$work/down" "$work/late.up" "$work/late.go"
	"$fcgi" "$socket" crowd 600 make "$work/up" await "$work/down" &
	crowd=$!
	until_true 20 test -e "$work/up" || return 1
	"$fcgi" "$socket" make "$work/late.up" await "$work/late.go" \
	    post "$good" answer >"$work/late" &
	late=$!
	until_true 10 test -e "$work/late.up" && alive || return 1
	: >"$work/late.go"
	wait $late
	: >"$work/down"
	wait $crowd
	has "$work/late" "200 OK"
}
claim "a connection is served behind 600 silent ones" silent_crowd
claim "the silent connections are closed with their peers" \
    until_true 10 accepted "$responder" 0
claim "a request sent before the previous answer is answered" \
    still_alive answers ok keep post "$good" post "$good" answer
claim "a refused body closes its connection" \
    answers "Content Too Large" keep head 99999999 answer closed
claim "a body shorter than its length: 400" \
    answers "Bad Request" head 100 part "$work/piece" end answer closed
claim "the log says that the body was shorter" \
    has "$log" 'msg="body shorter than Content-Length"'
claim "a body longer than its length: the first bytes are used" \
    answers "Bad Request" head 2 part "$good" end answer closed
claim "a client that disconnects in its request ends no process" \
    still_alive client head 100 part "$work/piece"
claim "a client that disconnects at once ends no process" still_alive client
claim "a client that disconnects before the answer ends no process" \
    still_alive client post "$good"
claim "bytes that are not FastCGI end only their connection" \
    still_alive answers "" raw "$good" closed
claim "500 KB that are not FastCGI end only their connection" \
    still_alive answers "" raw "$app" closed

# Records that no web server sends to a responder: a question for values, an
# aborted request, parameters cut off, another role.
printf '\1\11\0\0\0\20\0\0\16\0FCGI_MAX_CONNS' >"$work/values"
printf '\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0\1\2\0\1\0\0\0\0' >"$work/abort"
printf '\1\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0\1\4\0\1\0\2\0\0\5\5\1\4\0\1\0\0\0\0' \
    >"$work/cut"
printf '\1\1\0\1\0\10\0\0\0\2\0\0\0\0\0\0\1\4\0\1\0\0\0\0\1\5\0\1\0\0\0\0' \
    >"$work/role"
sed 's/\x08\(\x00*\)\x02/\x08\1\x01/' "$work/role" >>"$work/values"
values() {
	client raw "$work/values" answer >"$work/got" &&
	    has "$work/got" FCGI_MAX_CONNS1 && has "$work/got" "This is a vkcb"
}
claim "a question for values is answered, then a request" still_alive values
for i in $(seq 2500); do
	printf '\1\11\0\0\0\20\0\0\16\0FCGI_MAX_CONNS'
done >"$work/questions"
claim "2,500 questions at once end only their connection" \
    still_alive client raw "$work/questions" closed
claim "an aborted request ends only its connection" \
    still_alive answers "" raw "$work/abort" closed
claim "parameters that promise more than there is end their connection" \
    still_alive answers "" raw "$work/cut" closed
claim "another role is answered, and ends its connection" still_alive \
    answers "This is a vkcb endpoint: VK posts events here." \
    raw "$work/role" answer closed

### memory

# resident KILOBYTES - the responder has less memory than that.
resident() {
	got=$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' \
	    "/proc/$responder/status")
	echo "$got kB"
	[ "$got" -lt "$1" ]
}

# An object of 300 KB in pieces of 3 bytes needs a tree of 100 megabytes.
many_pieces() {
	event message_new "{\"message\":{\"attachments\":[$(
	    yes '{},' | head -n 100000 | tr -d '\n')0]}}" >"$work/pieces"
	answers ok post "$work/pieces" answer && alive && resident 16384
}
if sanitized "$app"; then
	skip "the sanitizers give back no memory"
else
	claim "the memory for an event of many pieces is released" many_pieces
fi

### descriptors

waits() {
	sed -n 's/^voluntary_ctxt_switches:[^0-9]*//p' \
	    "/proc/$responder/status"
}
waited_past() {
	[ "$(waits)" -gt "$1" ]
}
cannot_accept() {
	until_true 10 accepted "$responder" 0
	fd=0
	while [ -e "/proc/$responder/fd/$fd" ]; do
		fd=$((fd + 1))
	done
	prlimit --pid "$responder" --nofile=$fd:1024
	"$fcgi" "$socket" post "$good" answer >"$work/late" &
	late=$!
	until_true 10 grep -q 'cannot accept' "$log" &&
	    until_true 10 waited_past $(($(waits) + 4))
	prlimit --pid "$responder" --nofile=1024
	wait $late
	has "$work/late" "200 OK" && same 1 "$(grep -c 'cannot accept' "$log")"
}
claim "without free descriptors a connection waits, with one message" \
    cannot_accept
claim "the log says that connections are accepted again" \
    has "$log" "accepted again"

### time limits

configure 'body_timeout = 300ms'
claim "a body that stops arriving is refused within body_timeout" \
    answers "Bad Request" head 100 part "$work/piece" answer closed
claim "the log names body_timeout" \
    has "$log" 'msg="timed out reading the body (body_timeout)"'
claim "body_timeout starts anew on a kept connection" \
    answers "ok
Bad Request" keep post "$good" answer head 100 part "$work/piece" answer
printf '\001\001' >"$work/two"
claim "a header that stops arriving ends its connection" \
    still_alive answers "" raw "$work/two" closed
claim "the next client is served" alive
configure

### the configuration

broken_configuration() {
	sed 's/^secret/secrte/' "$work/app/vkcb.conf" >"$work/app/new.conf"
	mv "$work/app/new.conf" "$work/app/vkcb.conf"
	alive && alive && has "$log" 'new configuration is invalid' &&
	    has "$log" 'did you mean' &&
	    same 1 "$(grep -c 'configuration is invalid' "$log")"
}
claim "an invalid configuration is logged once, and the old one stays in force" \
    broken_configuration
new_secret() {
	sed 's/^secret = .*4t$/secret = brand-new/; /^old_/d; s/^secrte/#/' \
	    "$work/app/vkcb.conf" >"$work/app/new.conf"
	sed 's/^#.*/secret = brand-new/' "$work/app/new.conf" \
	    >"$work/app/newer.conf"
	mv "$work/app/newer.conf" "$work/app/vkcb.conf"
	answers "Bad Secret" post "$good" answer
}
claim "a new secret applies to the next request" new_secret

# The files are looked at each 2 ms, but at once for a secret that is wrong.
under_load() {
	# shellcheck disable=SC2046 # a list of words
	"$fcgi" "$socket" keep $(seq 500 | sed "s,.*,post $good answer,") \
	    >"$work/load" &
	load=$!
	configure
	still_alive wait $load
}
claim "the old secret applies at once after a change back, under load" \
    under_load
claim "the old secret applies again after a change back" alive

### exits

left() {
	gone "$responder" && wait "$responder"
}

leave_idle() {
	kill -s "$1" "$responder" && left
}

# The body of a request is half there when the signal comes.
leave_reading() {
	rm -f "$work/sent" "$work/on"
	"$fcgi" "$socket" keep head "$size" part "$work/first" make "$work/sent" \
	    await "$work/on" part "$work/rest" end answer closed \
	    >"$work/reading" &
	reading=$!
	until_true 10 test -e "$work/sent" &&
	    until_true 10 accepted "$responder" 1 &&
	    kill -s "$1" "$responder" || return 1
	: >"$work/on"
	wait "$reading" && left && has "$work/reading" "200 OK"
}

# A handler is running, with another request on a kept connection.
leave_handling() {
	rm -f "$run/leave.held" "$run/leave.go" "$work/kept" "$work/sent" \
	    "$work/told"
	"$fcgi" "$socket" keep post "$good" answer make "$work/kept" \
	    await "$work/told" post "$good" make "$work/sent" answer \
	    closed >"$work/other" &
	other=$!
	until_true 10 test -e "$work/kept" || return 1
	"$fcgi" "$socket" post "$(message "hold $run/leave")" answer \
	    >"$work/handled" &
	handled=$!
	until_true 10 test -e "$run/leave.held" || return 1
	kill -s "$1" "$responder"
	: >"$work/told"
	until_true 10 test -e "$work/sent" || return 1
	: >"$run/leave.go"
	wait "$handled" && wait "$other" && left &&
	    has "$work/handled" "200 OK" &&
	    same 2 "$(grep -c '200 OK' "$work/other")"
}

for signal in TERM USR1 INT; do
	[ $signal = TERM ] || responder
	alive
	claim "$signal: an idle process exits with status 0" \
	    leave_idle $signal
	responder
	claim "$signal: a half-read request is answered before the exit" \
	    leave_reading $signal
	responder
	claim "$signal: a running request and one already sent are answered" \
	    leave_handling $signal
done

responder >&- 2>&-
talks_to_nobody() {
	answers ok post "$(message talk)" answer && alive &&
	    lacks "$log" 'Not the answer!'
}
claim "a handler's output without a standard output is discarded" \
    talks_to_nobody

### several processes

crowd_of_clients() {
	clients=
	for i in $(seq 30); do
		"$fcgi" "$socket" post "$good" answer >"$work/client.$i" &
		clients="$clients $!"
	done
	# shellcheck disable=SC2086 # a list of words
	wait $clients
	same 30 "$(cat "$work"/client.* | grep -c '^ok$')"
}
all_leave() {
	# shellcheck disable=SC2086 # a list of words
	kill $responders
	for pid in $responders; do
		gone "$pid" || return 1
	done
}
leave_idle TERM
responders 3
claim "three processes share one socket" crowd_of_clients

# Two of the three processes wait for bodies that stop arriving.
stalled() {
	stalling=
	for i in 1 2; do
		"$fcgi" "$socket" head "$size" part "$work/first" \
		    make "$work/stalls.$i" await "$work/on_again" \
		    part "$work/rest" end answer >"$work/stalled.$i" &
		stalling="$stalling $!"
		until_true 10 test -e "$work/stalls.$i" || return 1
	done
	alive && alive && alive || return 1
	: >"$work/on_again"
	# shellcheck disable=SC2086 # a list of words
	wait $stalling
	same 2 "$(cat "$work"/stalled.* | grep -c '^ok$')"
}
claim "the third process serves while two wait for bodies" stalled
claim "three processes exit together" all_leave
claim "no secret is in the log" lacks "$log" "$secret"

done_testing
