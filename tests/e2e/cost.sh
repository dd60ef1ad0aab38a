# cost.sh - what an event costs: system calls, allocations, instructions.
# shellcheck disable=SC2046 # the words of a command
. tests/inbox.sh

# Ceilings. Lower one when something got cheaper; a call more needs a reason.
ceilings="
cgi	system-calls	46
cgi	allocations	0
fastcgi	system-calls	19
fastcgi	allocations	0
stored	system-calls	42
stored	allocations	36
small	instructions	39700
large	instructions	245500
"

if sanitized "$app"; then
	skip "the sanitizers make calls and allocations of their own" 8
	exit 0
fi

# under COUNT - the program that counts, before the command that is counted.
under() {
	case $1 in
	system-calls) echo strace -D -o "$work/trace" ;;
	allocations) echo valgrind --log-file="$work/trace" ;;
	instructions) echo valgrind --tool=callgrind \
	    --callgrind-out-file=/dev/null --log-file="$work/trace" ;;
	esac
}

# total COUNT - all of them. strace ends a little after the program.
total() {
	until_true 20 grep -qE '^\+\+\+ |heap usage|Collected' "$work/trace"
	case $1 in
	system-calls) grep -c '^[a-z0-9_]*(' "$work/trace" ;;
	allocations) sed -n 's/.*heap usage: \([0-9,]*\) allocs.*/\1/p' \
	    "$work/trace" | tr -d , ;;
	instructions) sed -n 's/.*Collected : //p' "$work/trace" ;;
	esac
	rm "$work/trace"
}

event=$bodies/message_new.json

# another ID - a body with an id of its own, since a repeat is not stored.
another() {
	sed "s/\"event_id\":\"[^\"]*\"/\"event_id\":\"$1\"/" \
	    "$event" >"$work/body"
}

# A configuration that is younger than the clock of its file is read once more.
is_old() {
	[ $(($(date +%s) - $(stat -c %Z "$work/app/vkcb.conf"))) -ge 2 ]
}

# A request, without what each start of the program takes.
by_cgi() {
	$(under "$1") "$app" --version >"$work/out" 2>&1
	start=$(total "$1")
	another "cgi-$(date +%N)"
	env GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=POST \
	    CONTENT_LENGTH="$(stat -c %s "$work/body")" \
	    $(under "$1") "$app" <"$work/body" >"$work/answers" 2>&1
	same ok "$(tail -n 1 "$work/answers")" >&2
	echo $(($(total "$1") - start))
}

responding=$app

# serve COUNT N - a responder answers N events, each on a connection of its own
# as from most web servers, and ends.
serve() {
	rm -f "$run/socket"
	spawn-fcgi -n -s "$run/socket" -- /usr/bin/env $(under "$1") \
	    "$responding" 2>"$work/err" &
	responder=$!
	ends $responder
	until_true 20 test -S "$run/socket"
	for i in $(seq "$2"); do
		another "$1-$2-$i-$(date +%N)"
		"$fcgi" "$run/socket" post "$work/body" answer
	done >"$work/answers" 2>&1
	kill $responder
	wait $responder
	same "$2" "$(grep -c '^ok$' "$work/answers")" >&2
}

# The calls from one accept4() to the next; a few events come in pieces.
median() {
	awk '/^accept4\(.* = [0-9]/ { print n; n = 0 } /^[a-z0-9_]+\(/ { n++ }' \
	    "$work/trace" | sort -n | sed -n "$(($1 / 2))p"
}

per_event() {
	serve "$1" 10
	[ "$1" != system-calls ] || { median 10; return; }
	ten=$(total "$1")
	serve "$1" 20
	echo $((($(total "$1") - ten) / 10))
}

# costs WHAT COUNT FUNCTION - beside other programs an event comes in more
# pieces, and takes more calls: the least of three tries counts.
costs() {
	ceiling=$(echo "$ceilings" | sed -n "s/^$1	$2	//p")
	for _ in 1 2 3; do
		got=$($3 "$2")
		echo "$got, with a ceiling of $ceiling"
		[ "$got" -ge 0 ] && [ "$got" -le "$ceiling" ] && return
	done
	return 1
}

repeats=once
configure "state = $run"
until_true 10 is_old
for count in system-calls allocations; do
	claim "an event by CGI: $count" costs cgi $count by_cgi
	claim "an event by FastCGI: $count" costs fastcgi $count per_event
done

# The one worker is in a handler, so that none is at the inbox beside us.
with_inbox "workers = 1"
"$app" work 2>"$run/work.log" &
ends $!
until_true 10 is_old
n=0
for count in system-calls allocations; do
	n=$((n + 1))
	give "$(task "hold-$n" 1 ok "\"hold\":\"$run/$count\"")" >"$work/answer"
	until_true 10 grep -q "^begin 1 $n " "$book"
	claim "an event that is stored: $count" costs stored $count per_event
	: >"$run/$count"
done

# Instructions are those of one compiler and one libc; the functions for strings
# that all x86-64 have take the same number everywhere.
known() {
	readelf -p .comment "$vkcb" | grep -q 'GCC: (Debian 12\.' &&
	    [ "$(uname -m) $(getconf GNU_LIBC_VERSION)" = \
	    "x86_64 glibc 2.36" ]
}

if ! known; then
	skip "the ceilings are for gcc 12 and glibc 2.36 on x86-64" 2
else
	configure "log_level = warning"
	until_true 10 is_old
	export VKCB_CONF GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-AVX512F,-ERMS
	responding=$vkcb
	for size in small large; do
		event=tests/bench/$size.json
		claim "a $size event with a struct: instructions" \
		    costs $size instructions per_event
	done
fi

done_testing
