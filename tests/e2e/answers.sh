# answers.sh - the manual's table of answers, in its order, byte for byte, as a
# CGI program, and the log message of each.
. tests/lib.sh

log=$work/log
body=$work/body
: >"$log"

# configure [LINE ...] - writes the configuration with these lines in [vkcb].
configure() {
	{
		printf '[vkcb]\nrepeats = again\n'
		printf '%s\n' "$@"
		cat <<'END'
[default]
secret = defaults-own-secret
confirmation = dddddddd
[group 219876543]
secret = Kf7vQ2mXw9aLcR4t
old_secret = old-Kf7vQ2mXw9aLcR4
confirmation = 7d1a2b3c
[group 2]
secret = none
confirmation = none
[group 4]
confirmation = 44444444
[group 5]
secret = own-secret-of-group-5
END
	} >"$work/vkcb.conf"
}
export VKCB_CONF="$work/vkcb.conf"
configure

# sends STATUS TEXT HEADER [NAME=VALUE ...] - the body gets exactly this answer;
# HEADER is one more line, or empty.
sends() {
	sends_status=$1 sends_text=$2 sends_header=$3
	shift 3
	{
		printf 'Status: %s\r\nContent-Type: text/plain\r\n' \
		    "$sends_status"
		printf 'Content-Length: %d\r\n' \
		    "$(printf '%s' "$sends_text" | wc -c)"
		[ -z "$sends_header" ] || printf '%s\r\n' "$sends_header"
		printf '\r\n%s' "$sends_text"
	} >"$work/wanted"
	: >"$log"
	cgi "$body" "$@" >"$work/got"
	cmp "$work/wanted" "$work/got" || { cat "$work/got"; return 1; }
}

# event [MEMBER ...] - a body of group 219876543 with more members.
event() {
	printf '{"group_id":219876543,"type":"message_new"' >"$body"
	[ $# = 0 ] || printf ',%s' "$@" >>"$body"
	printf '}' >>"$body"
}
right='"secret":"Kf7vQ2mXw9aLcR4t"'
object='"object":{"message":{"text":"hi","from_id":7,"peer_id":7}}'

# says TEXT - the log has one line, which has TEXT.
says() {
	same 1 "$(wc -l <"$log")" && has "$log" "$1"
}

### the request

get="This is a vkcb endpoint: VK posts events here.
"
event "$right" "$object"
cp "$body" "$work/good"
claim "a valid event: ok, no other byte" sends "200 OK" ok ""
for method in GET HEAD PUT DELETE post ''; do
	: >"$work/got"
	claim "method \"$method\": 405, with a text about vkcb" \
	    sends "405 Method Not Allowed" "$get" "Allow: POST" \
	    REQUEST_METHOD="$method"
done
claim "the log names the cause" says 'msg="not a POST" status=405'
claim "no length: 411" sends "411 Length Required" "Length Required" "" \
    CONTENT_LENGTH=
for length in -1 +5 5x 0x10 ' 5' 1e3 5,5; do
	claim "length \"$length\": 400" sends "400 Bad Request" "Bad Request" \
	    "" CONTENT_LENGTH="$length"
done
for length in 1048577 18446744073709551615 18446744073709551616 \
    99999999999999999999999999; do
	claim "length $length: 413" sends "413 Content Too Large" \
	    "Content Too Large" "" CONTENT_LENGTH="$length"
done
claim "the log names max_body" says 'msg="body longer than max_body"'
claim "a body shorter than its length: 400" \
    sends "400 Bad Request" "Bad Request" "" \
    CONTENT_LENGTH=1048576
claim "the log names the cause" says 'msg="body shorter than Content-Length"'
claim "the method is checked before the length" \
    sends "405 Method Not Allowed" "$get" "Allow: POST" \
    REQUEST_METHOD=GET CONTENT_LENGTH=99999999
claim "a repeat gets the same answer as the first delivery" \
    sends "200 OK" ok "" HTTP_X_RETRY_COUNTER=2
claim "the log has the repeat's count" says ' retry=2 '
for counter in x -1 99999999999999999999 1.5 ''; do
	claim "an invalid X-Retry-Counter \"$counter\" is ignored" \
	    sends "200 OK" ok "" HTTP_X_RETRY_COUNTER="$counter"
done

slow_body() {
	mkfifo "$work/slow"
	exec 3<>"$work/slow"
	printf '{"a"' >&3
	configure 'body_timeout = 200ms'
	env GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=POST CONTENT_LENGTH=100 \
	    "$vkcb" <&3 2>"$log" | tail -n 1
	exec 3>&-
	configure
}
claim "a client that stops sending is refused within body_timeout" \
    same "Bad Request" "$(slow_body)"
claim "the log names body_timeout" \
    says 'msg="timed out reading the body (body_timeout)"'

### the body

# refuses "what" PRINTF-TEXT - such a body is 400.
refuses() {
	# shellcheck disable=SC2059 # escapes are meant
	printf "$2" >"$body"
	claim "$1: 400" sends "400 Bad Request" "Bad Request" ""
}
e='"type":"message_new","group_id":219876543,"secret":"Kf7vQ2mXw9aLcR4t"'
refuses "nothing" ''
refuses "white space" ' \n'
refuses "no JSON" 'type=message_new&group_id=219876543'
refuses "a list" "[{$e}]"
refuses "cut off" "{$e"
refuses "bytes behind it" "{$e}x"
refuses "a second object behind it" "{$e}{$e}"
refuses "a NUL behind it" "{$e}\\000"
refuses "a NUL in a text" "{$e,\"a\":\"\\000\"}"
refuses "a BOM" "\\357\\273\\277{$e}"
refuses "bad UTF-8" "{$e,\"a\":\"\\300\\257\"}"
refuses "a surrogate in UTF-8" "{$e,\"a\":\"\\355\\240\\200\"}"
refuses "above U+10FFFF" "{$e,\"a\":\"\\364\\220\\200\\200\"}"
refuses "NaN" "{$e,\"a\":NaN}"
refuses "a raw newline in a text" "{$e,\"a\":\"\\n\"}"
refuses "UTF-16" '{\000}\000'
refuses "a type twice" "{$e,\"type\":\"message_new\"}"
refuses "a type twice, escaped" "{$e,\"\\\\u0074ype\":\"message_new\"}"
refuses "a group twice" "{$e,\"group_id\":219876543}"
refuses "a secret twice" "{$e,\"secret\":\"Kf7vQ2mXw9aLcR4t\"}"
refuses "an object twice" "{$e,\"object\":{},\"object\":{}}"
refuses "no type" '{"group_id":219876543}'
refuses "a type that is no text" '{"type":1,"group_id":219876543}'
refuses "an empty type" '{"type":"","group_id":219876543}'
refuses "no group" '{"type":"message_new"}'
for id in 0 -1 1.0 1e0 '"219876543"' true null '[]' 9223372036854775808; do
	refuses "group_id $id" "{\"type\":\"message_new\",\"group_id\":$id}"
done
refuses "event_id out of range" "{$e,\"event_id\":9223372036854775808}"

# Deep and large bodies are generated.
deep() {
	{ printf '{%s,"object":{"a":' "$e"
	head -c "$1" /dev/zero | tr '\0' '['
	head -c "$1" /dev/zero | tr '\0' ']'
	printf '}}'; } >"$body"
}
deep 254
claim "256 levels of JSON: accepted" sends "200 OK" ok ""
deep 255
claim "257 levels: 400" sends "400 Bad Request" "Bad Request" ""
claim "the log has the cause and the offset" \
    says 'detail="nested too deep" offset='
deep 500000
claim "500,000 levels: 400" sends "400 Bad Request" "Bad Request" ""
configure 'max_body = 16M'
deep 1000000
claim "1,000,000 levels: 400" sends "400 Bad Request" "Bad Request" ""
{ printf '{%s,"object":{"message":{"text":"' "$e"
head -c 8388608 /dev/zero | tr '\0' x
printf '"}}}'; } >"$body"
claim "a text of 8 MiB: accepted" sends "200 OK" ok ""
configure
claim "a text of 8 MiB: 413 if max_body is smaller" \
    sends "413 Content Too Large" "Content Too Large" ""

### the group and its secret

printf '{"type":"message_new","group_id":3,%s}' "$object" >"$body"
claim "a group without a section needs the secret of [default]" \
    sends "403 Forbidden" "Bad Secret" ""
printf '{"type":"message_new","group_id":3,%s,%s}' "$object" \
    '"secret":"defaults-own-secret"' >"$body"
claim "an event of such a group with that secret: ok" sends "200 OK" ok ""
printf '{"type":"message_new","group_id":3,%s,%s}' "$object" "$right" >"$body"
claim "an event of such a group with another group's secret: 403" \
    sends "403 Forbidden" "Bad Secret" ""
event '"secret":"defaults-own-secret"' "$object"
claim "the secret of [default] is wrong for a group with its own" \
    sends "403 Forbidden" "Bad Secret" ""
printf '{"type":"message_new","group_id":4,%s,%s}' "$object" \
    '"secret":"defaults-own-secret"' >"$body"
claim "a group whose section has no secret takes that of [default]" \
    sends "200 OK" ok ""
printf '{"type":"message_new","group_id":5,%s,%s}' "$object" \
    '"secret":"defaults-own-secret"' >"$body"
claim "a group whose section has a secret does not" \
    sends "403 Forbidden" "Bad Secret" ""
event '"secret":"old-Kf7vQ2mXw9aLcR4"' "$object"
claim "old_secret is accepted" sends "200 OK" ok ""
for secret in '""' '"kf7vQ2mXw9aLcR4t"' '"Kf7vQ2mXw9aLcR4"' \
    '"Kf7vQ2mXw9aLcR4tt"' '"Kf7vQ2mXw9aLcR4u"' '" Kf7vQ2mXw9aLcR4t"' \
    '"Kf7vQ2mXw9aLcR4t\u0000"' '"Kf7vQ2mXw9aLcR4t\u0000x"' '"none"' \
    '"7d1a2b3c"' null true false 0 12 '[]' '{}' '["Kf7vQ2mXw9aLcR4t"]' \
    '{"secret":"Kf7vQ2mXw9aLcR4t"}'; do
	event "\"secret\":$secret" "$object"
	claim "secret $secret: 403" sends "403 Forbidden" "Bad Secret" ""
done
claim "the log says that the secret is not a string" \
    says 'msg="secret is not a string"'
event '"event_id":"e7"' "$object"
claim "no secret: 403" sends "403 Forbidden" "Bad Secret" ""
claim "the log names the cause and the event" says \
    'msg="no secret" status=403 group=219876543 event=message_new id=e7'
event '"secret":"\u004bf7vQ2mXw9aLcR4\u0074"' "$object"
claim "the right secret, spelled with escapes: ok" sends "200 OK" ok ""
printf '{"type":"message_new","group_id":2,%s}' "$object" >"$body"
claim "secret = none: an event without a secret is accepted" \
    sends "200 OK" ok ""
printf '{"type":"message_new","group_id":2,%s,"secret":5}' "$object" >"$body"
claim "secret = none: an event with any secret is accepted" sends "200 OK" ok ""

sed '/^\[default\]/,/^confirmation/d; s/^\[group 4\]/&\nsecret = s/' \
    "$work/vkcb.conf" >"$work/few.conf"
printf '{"type":"message_new","group_id":3,%s}' "$object" >"$body"
claim "no section and no [default]: 403" \
    sends "403 Forbidden" "Unknown Group" "" VKCB_CONF="$work/few.conf"
claim "the log names the cause" says 'group=3 event=message_new'
printf '{"type":"","group_id":3}' >"$body"
sed 's/^secret = defaults.*/title = Bot/; s/^\[group 4\]/&\nsecret = s/' \
    "$work/vkcb.conf" >"$work/few.conf"
printf '{"type":"message_new","group_id":3,%s}' "$object" >"$body"
claim "no section, and no secret in [default]: 403" \
    sends "403 Forbidden" "Unknown Group" "" VKCB_CONF="$work/few.conf"
printf '{"type":"","group_id":3}' >"$body"
claim "the body is checked before the group" \
    sends "400 Bad Request" "Bad Request" "" VKCB_CONF="$work/few.conf"

### confirmation

confirmation() {
	printf '{"type":"confirmation","group_id":%s%s}' "$1" "${2-}" >"$body"
}
confirmation 219876543 ",$right"
claim "a confirmation with the secret: the string, no other byte" \
    sends "200 OK" 7d1a2b3c ""
claim "the log names the cause" says 'msg=confirmed group=219876543'
confirmation 219876543
claim "a confirmation without a secret: 403" \
    sends "403 Forbidden" "Bad Secret" ""
claim "the log names confirm_without_secret" says confirm_without_secret
configure 'confirm_without_secret = yes'
claim "confirm_without_secret = yes: the string" sends "200 OK" 7d1a2b3c ""
confirmation 3
claim "confirm_without_secret = yes: the string of [default]" \
    sends "200 OK" dddddddd ""
for secret in '"wrong"' '""' null 5 '[]'; do
	confirmation 219876543 ",\"secret\":$secret"
	claim "confirm_without_secret = yes: 403 with secret $secret" \
	    sends "403 Forbidden" "Bad Secret" ""
done
event "$object"
claim "confirm_without_secret = yes: 403 for an event without a secret" \
    sends "403 Forbidden" "Bad Secret" ""
configure
confirmation 4 ',"secret":"defaults-own-secret"'
claim "a group's own string with the secret of [default]" \
    sends "200 OK" 44444444 ""
confirmation 5 ',"secret":"own-secret-of-group-5"'
claim "the string of [default] with a group's own secret" \
    sends "200 OK" dddddddd ""
confirmation 2
claim "no confirmation string: 404" \
    sends "404 Not Found" "No Confirmation String" ""

### the object

for odd in null false '[]' '[1]' 12 '"text"'; do
	event "$right" "\"object\":$odd"
	claim "object $odd: 400" \
	    sends "400 Bad Request" "Bad Request" ""
done
event "$right"
claim "no object: 400" sends "400 Bad Request" "Bad Request" ""
claim "the log names the cause" \
    says 'msg="object is missing or not a JSON object"'
printf '{"type":"new_event","group_id":219876543,%s,"object":[]}' "$right" \
    >"$body"
claim "an event that no handler takes: ok with any object" \
    sends "200 OK" ok ""
event "$right" '"object":{"warning":"outdated"}'
claim "VK's warning of an outdated version: ok" sends "200 OK" ok ""
claim "the log has VK's words and advice" sh -c "
	grep 'warning in place of the object: vkcb setup' '$log' |
	    grep -q 'detail=outdated'"
event "$right" '"object":{"message":{"date":1e999,"text":5,"geo":7}}'
claim "fields of wrong types: ok" sends "200 OK" ok ""
claim "the log names a field's path, its kind and the documented kind" \
    has "$log" \
    'path=object.message.date got="integer out of range"'

### the configuration

claim "an invalid configuration: 503" sends "503 Service Unavailable" \
    "Not Configured" "Retry-After: 60" VKCB_CONF="$work/none.conf"

### the log

: >"$log.all"
remember() {
	: >"$log"
	cgi "$body" "$@" >>"$work/all" && cat "$log" >>"$log.all"
}
type='message_new\nlevel=error msg=\"x\"\u001b[31m\u2028\u202e'
printf '{"type":"%s","group_id":219876543,%s}' "$type" "$right" >"$body"
remember
printf '{"type":"%s","group_id":219876543,"secret":"x"}' "$type" >"$body"
remember
printf '{"type":"x","group_id":1,"event_id":"%s"}' "$type" >"$body"
remember VKCB_CONF="$work/few.conf"
remember REQUEST_METHOD="$(printf 'G\nE\033T')"
remember CONTENT_LENGTH="$(printf '1\n2')"
cp "$bodies/message_new.json" "$body"
remember
claim "every line of the log is logfmt" "$root/$O/tests/tool/logfmt" "$log.all"
claim "the log has a line for each request but the first, which no handler takes" \
    same 5 "$(wc -l <"$log.all")"
claim "no control character is in the log" \
    test -z "$(LC_ALL=C tr -d '\n\040-\176\200-\377' <"$log.all")"
claim "no secret is in the log" lacks "$log.all" Kf7vQ2mXw9aLcR4
claim "no secret is in an answer" \
    lacks "$work/all" Kf7vQ2mXw9aLcR4 own-secret

done_testing
