# trigger.sh - `vkcb trigger`: events without VK, local and to a server.
. tests/hosts.sh

from_contrib lighttpd-fastcgi.conf >"$run/vkcb.conf"
lighttpd_server

# trigger ARGUMENT ... - runs vkcb trigger; output, errors and status in $work.
trigger() {
	"$app" trigger "$@" >"$work/out" 2>"$work/err"
	echo $? >"$work/status"
}

# exits STATUS TEXT - the status of the last trigger, and text in its output.
exits() {
	same "$1" "$(cat "$work/status")" && has "$work/out" "$2" && return
	cat "$work/err"
	return 1
}

# complains STATUS TEXT
complains() {
	same "$1" "$(cat "$work/status")" && has "$work/err" "$2"
}

failed=0
for event in $("$app" events --names); do
	"$app" trigger "$event" >>"$work/all" 2>&1 || failed=1
done
claim "a sample of every event is handled locally" \
    same 0 "$failed"
claim "no field of a sample is absent" lacks "$work/all" absent

trigger message_new object.message.text=remove
claim "the answer is shown" exits 0 "answer: 200 remove"
claim "the outcome of each handler is shown" \
    has "$work/err" "handler=outcomes outcome=remove"
trigger message_new object.message.text=fail
claim "a handler that fails is exit status 1" exits 1 "answer: 500"
trigger message_new "object.message.text=retry 429 60"
claim "a handler that asks for a retry is exit status 1" exits 1 "answer: 429"

trigger --print message_new object.message.text=42 object.message.date=7 \
    object.message.out=true object.message.geo=null \
    object.message.attachments.0.type=doc object.new.deep=1.5 \
    'object.message.payload:=[1,{"a":"b"}]'
claim "a string stays a string, even if it looks like a number" sh -c "
	grep -q '\"text\": \"42\"' $work/out"
claim "numbers, true and null are taken as such" sh -c "
	grep -q '\"date\": 7' $work/out && grep -q '\"out\": true' $work/out &&
	grep -q '\"geo\": null' $work/out"
claim "a list element is changed by number, and missing objects are created" \
    sh -c "
	grep -q '\"type\": \"doc\"' $work/out &&
	tr -d ' \n' <$work/out | grep -q '\"new\":{\"deep\":1.5}'"
claim ":= sets any JSON value" sh -c "
	tr -d ' \n' <$work/out | grep -q '\"payload\":\[1,{\"a\":\"b\"}\]'"
trigger --print message_new 'object.message.attachments[0].type=doc' \
    object.big=99999999999999999999 object.exact=1.50
claim "a path may have the log's form" has "$work/out" '"type": "doc"'
claim "a path in the log's form adds no key" lacks "$work/out" '[0'
claim "a number keeps its spelling" sh -c "
	grep -q '\"big\": 99999999999999999999' $work/out &&
	grep -q '\"exact\": 1.50' $work/out"
for change in =5 :=5 .a=5 object..text=1 object.=1; do
	trigger --print message_new "$change"
	claim "$change, without a name, is wrong usage" complains 2 "$change"
done
trigger --print message_new object.message.text="$(printf '\377')"
claim "a change that is not UTF-8 is wrong usage" \
    complains 2 "object.message.text: the text is not UTF-8"
trigger --print message_new object.message.attachments.3.type=doc
claim "nulls added before a new list element are reported" \
    complains 0 "the list had 1"
trigger --print message_new object.message.text.foo=5
claim "a string replaced by an object is reported" \
    complains 0 "an object replaces the value of text"
trigger --print message_new message.text=5
claim "a change outside object is reported" \
    complains 0 "object.message.text meant?"
trigger --print message_new object.message.text=42 \
    'object.message.payload:=[1,{"a":"b"}]'
claim "an ordinary change is not reported" test ! -s "$work/err"
claim "a printed event has no secret" lacks "$work/out" "$secret"
cp "$work/out" "$work/saved.json"

trigger --url "$url" message_new
claim "an event is posted with the right secret" exits 0 "answer: 200 ok"
trigger --url "$url" --file "$work/saved.json"
claim "a saved body is posted with the right secret" exits 0 "answer: 200 ok"
trigger --url "$url" message_new secret=wrong
claim "a given secret is not replaced" \
    exits 1 "answer: 403 Bad Secret"
trigger --url "$url" --retry 3 message_new
claim "--retry sets X-Retry-Counter" has "$log" "retry=3"
trigger --url "$url" confirmation
claim "a confirmation shows the string" exits 0 "answer: 200 7d1a2b3c"

# serves TEXT EVENT [OPTION ...] - posts the event to a server that answers TEXT.
served=0
serves() {
	served=$((served + 1))	# the server remembers files by their names
	printf '%b' "$1" >"$run/static$served"
	shift
	trigger --url "http://127.0.0.1:$port/static$served" "$@"
}
serves "<html></html>" message_new
claim "an answer that is not VK's is a problem" \
    complains 1 "only exactly ok"
serves "ok" message_new
claim "ok is a right answer" exits 0 "answer: 200 ok"
serves "ok\n" message_new
claim "ok and another byte is a wrong answer" complains 1 "not a byte more"
serves "ok\\0000" message_new
claim "ok and a NUL is a wrong answer" complains 1 "not a byte more"
serves "version 5.199" message_new
claim "a version is a right answer" exits 0 "answer: 200 version"
serves "7d1a2b3c" confirmation
claim "the configured string is a right confirmation" \
    exits 0 "answer: 200 7d1a2b3c"
serves "7d1a2b3d" confirmation
claim "another string is a wrong confirmation" \
    complains 1 "not the confirmation string"
serves "ok" confirmation
claim "ok is a wrong confirmation" complains 1 "not the confirmation string"
printf '[default]\nsecret = none\nconfirmation = abc\n' >"$work/default.conf"
export VKCB_CONF="$work/default.conf"
serves "wrongstring" confirmation
claim "another string than that of [default] is a wrong confirmation" \
    complains 1 "not the confirmation string"
serves "abc" confirmation
claim "the string of [default] is a right confirmation" \
    exits 0 "answer: 200 abc"
echo '[default]' >"$work/default.conf"
serves "wrongstring" confirmation
claim "without a configured string any valid string is a right confirmation" \
    exits 0 "answer: 200 wrongstring"
unset VKCB_CONF
serves "<html></html>" --count 3 message_new
claim "a load test counts only right answers" exits 1 "0 of 3 answered ok"
trigger --url "$url" --count 40 --parallel 4 group_join
claim "a load test counts its events" exits 0 "40 of 40 answered ok"
claim "a load test shows its latency" exits 0 "p99"
claim "every event of a load test has its own id" \
    same 40 "$(grep 'event=group_join' \
    "$log" | grep -o ' id=[0-9a-f]*' | sort -u | wc -l)"
trigger --url "http://127.0.0.1:$(free_port)/" message_new
claim "an unreachable server is a problem" complains 1 "vkcb: http"
trigger --url http://127.0.0.1:99999/ message_new
claim "an invalid address is a problem" has "$work/err" 99999
claim "an invalid address has no advice on api_url" lacks "$work/err" api_url
printf '{"type":"message_new"}' >"$work/secret"
trigger --url "file://$work/secret" message_new
claim "a URL of another scheme is refused" \
    complains 2 "http:// or https://"

"$app" trigger --file - <"$bodies/wall_post_new.json" >"$work/out" 2>&1
claim "a dash is standard input" has "$work/out" "answer: 200 ok"
trigger unlisted_event object.a=1
claim "an event that only a handler names can be triggered" \
    exits 0 "answer: 200 ok"
trigger mesage_new
claim "an unknown event is refused with the nearest name" \
    complains 1 "message_new"
trigger message_new what
claim "a change without = is wrong usage" complains 2 "expected PATH=VALUE"
trigger message_new object.message.attachments.first.type=doc
claim "a name as index of a list is wrong usage" \
    complains 1 "first is not an index of a list"
# Invalid JSON, and the position of the error.
while read -r json byte; do
	trigger --print message_new "object.a:=$json"
	claim "the invalid JSON $json is wrong usage" \
	    complains 1 "at byte $byte"
done <<'END'
{ 2
nul 1
1,"zz":2 2
1}{ 2
{"a":1}} 8
END
trigger --print message_new object.a:=
claim "empty JSON is wrong usage" complains 1 "a value was expected, at byte 1"
trigger
claim "no event is wrong usage" complains 2 "usage:"
trigger --print --url "$url" message_new
claim "--print with --url is wrong usage" complains 2 "posts none"
for option in "--count x" "--count 0" "--parallel 65" "--retry -1"; do
	# shellcheck disable=SC2086 # words
	trigger $option message_new
	claim "$option is wrong usage, with its limits" \
	    complains 2 "$option: must be from "
done
trigger --retry "" message_new
claim "an empty number is wrong usage" complains 2 "--retry : must be from 0 to 1000"
trigger like_add --help
claim "--help works in any place" exits 0 "--parallel M"
trigger --url file:///etc/hostname message_new
claim "a file URL is wrong usage" complains 2 "http://"
# The shell test in handlers/README.md, for a handler that exists here.
sed -n '/^```sh$/,/^```$/{/^```/d;p;}' "$root/handlers/README.md" |
    sed "s|\./vkcb|$app|; s/=hello /=00-audit /" >"$work/readme.sh"
claim "the shell test in handlers/README.md works" \
    sh -c "cd $work && sh -e readme.sh"
configure "inbox = $run/inbox"
trigger message_new object.message.text=fail
claim "a new configuration does not change the inbox or log of trigger" \
    exits 1 "answer: 500"
claim "the outcomes are still logged to standard error" \
    has "$work/err" "handler=outcomes outcome=fail"
configure
cat "$work/out" "$work/err" "$work/all" "$log" >"$work/everything"
claim "no output has the secret" lacks "$work/everything" "$secret"

done_testing
