# memory.sh - CGI requests without memory, and some under valgrind.
. tests/lib.sh

cat >"$work/vkcb.conf" <<'END'
[vkcb]
log_level = debug
repeats = again
[default]
secret = none
[group 219876543]
secret_file = secret
old_secret = o
confirmation = 7d1a2b3c
END
echo Kf7vQ2mXw9aLcR4t >"$work/secret"
export VKCB_CONF="$work/vkcb.conf"
preload=$root/$O/tests/preload/fail-alloc.so
log=$work/log

if sanitized "$vkcb"; then
	skip "the sanitizers of this build look at memory" 6
	exit 0
fi

# answered TEXT STATUS - this is a valid answer to the event. No answer is valid
# too: the web server then answers with an error, and VK repeats the event.
answered() {
	[ "$2" -lt 128 ] || return 1
	[ -s "$work/got" ] || return 0
	case $(head -n 1 "$work/got") in
	"Status: 503 "*) return 0 ;;
	"Status: 200 "*) ;;
	*) return 1 ;;
	esac
	same "$1" "$(tail -n 1 "$work/got")" || return 1
	[ "$1" != ok ] || grep -q 'handler=talk outcome=ok' "$log"
}

# each_fails BODY ANSWER - fails one allocation after the other.
each_fails() {
	n=0
	while :; do
		n=$((n + 1))
		: >"$log"
		cgi "$1" LD_PRELOAD="$preload" FAIL_AT="$n" >"$work/got"
		if ! answered "$2" $?; then
			echo "at allocation $n:"
			cat "$work/got" "$log"
			return 1
		fi
		grep -q '^this allocation failed' "$log" || break
	done
	echo "$n allocations"
	[ "$n" -gt "$3" ] && same "$2" "$(tail -n 1 "$work/got")"
}
claim "an event with any allocation failing: 503, no answer, or ok and handled" \
    each_fails "$bodies/message_new.json" ok 2
claim "a confirmation with any allocation failing: 503, no answer, or the string" \
    each_fails "$bodies/confirmation.json" 7d1a2b3c 1

# Each event has an id of its own; nobody works: this test holds a pool's lock.
inbox=$work/inbox
sed -i "s|^\[vkcb\]|&\ninbox = $inbox|" "$VKCB_CONF"
echo >"$inbox-lock"
"$root/$O/tests/tool/byte-lock" "$inbox-lock" 1 sleep 600 &
ends $!
store_without() {
	n=0
	sed 's/"event_id":"[^"]*"/"event_id":"first"/' \
	    "$bodies/message_new.json" >"$work/body"
	cgi "$work/body" >"$work/got"
	while :; do
		n=$((n + 1))
		sed "s/\"event_id\":\"[^\"]*\"/\"event_id\":\"n-$n\"/" \
		    "$bodies/message_new.json" >"$work/body"
		: >"$log"
		cgi "$work/body" LD_PRELOAD="$preload" FAIL_AT="$n" \
		    >"$work/got"
		[ $? -lt 128 ] || return 1
		case $(head -n 1 "$work/got") in
		"Status: 200 "*) echo "n-$n" ;;
		"Status: 503 "* | "") ;;
		*) cat "$work/got" && return 1 ;;
		esac
		grep -q '^this allocation failed' "$log" || break
	done >"$work/oks"
	echo "$n allocations"
	sqlite3 "$inbox" 'SELECT event_id FROM event' >"$work/there"
	[ "$n" -gt 300 ] && grep -qx "n-$n" "$work/oks" &&
	    finds_none "$work/oks" -vxFf "$work/there"
}
claim "an inbox with any allocation failing: 503, no answer, or ok and stored" \
    store_without
exec 9>&-
sed -i '/^inbox/d' "$VKCB_CONF"

# sound BODY [NAME=VALUE ...] - valgrind finds no invalid access and no leak.
sound() {
	sound_body=$1
	shift
	env GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=POST \
	    CONTENT_LENGTH="$(stat -c %s "$sound_body")" "$@" \
	    valgrind -q --error-exitcode=99 --leak-check=full \
	    --errors-for-leak-kinds=definite,possible "$vkcb" <"$sound_body"
}
claim "valgrind finds no error with an event" \
    sound "$bodies/message_new.json"
printf '{"type":"message_new","group_id":219876543,"secret":"o","object":{' \
    >"$work/odd"
printf '"message":{"date":1e3,"text":1.5,"attachments":[1,{}],"geo":[]}}}' \
    >>"$work/odd"
claim "valgrind finds no error with fields of wrong types" sound "$work/odd"
claim "valgrind finds no error with a refused request" \
    sound "$bodies/message_new.json" CONTENT_LENGTH=9

done_testing
