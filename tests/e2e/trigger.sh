# trigger.sh - `vkcb trigger`: events without VK, here and to a real server.
. tests/hosts.sh

from_contrib lighttpd-fastcgi.conf >"$run/vkcb.conf"
lighttpd_server

# trigger ARGUMENT ... - leaves its output, errors and exit status.
trigger() {
	"$app" trigger "$@" >"$work/out" 2>"$work/err"
	echo $? >"$work/status"
}

# exits WANTED STATUS TEXT - the last trigger's status, and what it printed.
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
claim "a sample of every event goes through the handlers here" \
    same 0 "$failed"
claim "no field of a sample is left absent" lacks "$work/all" absent

trigger message_new object.message.text=remove
claim "the answer is shown" exits 0 "answer: 200 remove"
claim "and the outcome of each handler" \
    has "$work/err" "handler=outcomes outcome=remove"
trigger message_new object.message.text=fail
claim "a handler that fails is exit status 1" exits 1 "answer: 500"
trigger message_new "object.message.text=retry 429 60"
claim "so is one that wants to try again" exits 1 "answer: 429"

trigger --print message_new object.message.text=42 object.message.date=7 \
    object.message.out=true object.message.geo=null \
    object.message.attachments.0.type=doc object.new.deep=1.5 \
    'object.message.payload:=[1,{"a":"b"}]'
claim "a text stays one, whatever it looks like" sh -c "
	grep -q '\"text\": \"42\"' $work/out"
claim "numbers, true and null are such" sh -c "
	grep -q '\"date\": 7' $work/out && grep -q '\"out\": true' $work/out &&
	grep -q '\"geo\": null' $work/out"
claim "a list is changed by number, and objects are made on the way" sh -c "
	grep -q '\"type\": \"doc\"' $work/out &&
	tr -d ' \n' <$work/out | grep -q '\"new\":{\"deep\":1.5}'"
claim "JSON comes after :=" sh -c "
	tr -d ' \n' <$work/out | grep -q '\"payload\":\[1,{\"a\":\"b\"}\]'"
trigger --print message_new 'object.message.attachments[0].type=doc' \
    object.big=99999999999999999999 object.exact=1.50
claim "a path may be as the log names it" has "$work/out" '"type": "doc"'
claim "... and is no key then" lacks "$work/out" '[0'
claim "a number stays as it is written" sh -c "
	grep -q '\"big\": 99999999999999999999' $work/out &&
	grep -q '\"exact\": 1.50' $work/out"
for change in =5 :=5 .a=5 object..text=1 object.=1; do
	trigger --print message_new "$change"
	claim "$change, without a name, is wrong usage" complains 2 "$change"
done
trigger --print message_new object.message.text="$(printf '\377')"
claim "so is a text that is not UTF-8" \
    complains 2 "object.message.text: the text is not UTF-8"
trigger --print message_new object.message.attachments.3.type=doc
claim "nulls before a new element of a list are told" complains 0 "the list had 1"
trigger --print message_new object.message.text.foo=5
claim "so is a text that had to go" complains 0 "text was no object"
trigger --print message_new message.text=5
claim "and a name beside object" complains 0 "object.message.text meant?"
trigger --print message_new object.message.text=42 \
    'object.message.payload:=[1,{"a":"b"}]'
claim "no word on changes as they look" test ! -s "$work/err"
claim "what is printed has no secret" lacks "$work/out" "$secret"
cp "$work/out" "$work/saved.json"

trigger --url "$url" message_new
claim "a URL gets it with the right secret" exits 0 "answer: 200 ok"
trigger --url "$url" --file "$work/saved.json"
claim "and a saved body" exits 0 "answer: 200 ok"
trigger --url "$url" message_new secret=wrong
claim "a secret that was given is not replaced" \
    exits 1 "answer: 403 Bad Secret"
trigger --url "$url" --retry 3 message_new
claim "--retry sets X-Retry-Counter" has "$log" "retry=3"
trigger --url "$url" confirmation
claim "a confirmation shows its string" exits 0 "answer: 200 7d1a2b3c"

# serves TEXT EVENT [OPTION ...] - that event is posted to a file with this text.
served=0
serves() {
	served=$((served + 1))	# the server remembers files by their names
	printf '%b' "$1" >"$run/static$served"
	shift
	trigger --url "http://127.0.0.1:$port/static$served" "$@"
}
serves "<html></html>" message_new
claim "a page that is no answer to an event is a problem" \
    complains 1 "only exactly ok"
serves "ok" message_new
claim "ok is an answer" exits 0 "answer: 200 ok"
serves "ok\n" message_new
claim "ok and another byte is none" complains 1 "not a byte more"
serves "ok\\0000" message_new
claim "nor is ok and a NUL" complains 1 "not a byte more"
serves "version 5.199" message_new
claim "a version is one" exits 0 "answer: 200 version"
serves "7d1a2b3c" confirmation
claim "the string of the configuration confirms" exits 0 "answer: 200 7d1a2b3c"
serves "7d1a2b3d" confirmation
claim "another one does not" complains 1 "not the confirmation string"
serves "ok" confirmation
claim "nor does ok" complains 1 "not the confirmation string"
printf '[default]\nsecret = none\nconfirmation = abc\n' >"$work/default.conf"
export VKCB_CONF="$work/default.conf"
serves "wrongstring" confirmation
claim "nor does another one than that of [default]" \
    complains 1 "not the confirmation string"
serves "abc" confirmation
claim "... which does" exits 0 "answer: 200 abc"
echo '[default]' >"$work/default.conf"
serves "wrongstring" confirmation
claim "where none is configured any that may be VK's does" \
    exits 0 "answer: 200 wrongstring"
unset VKCB_CONF
serves "<html></html>" --count 3 message_new
claim "a load counts right answers alone" exits 1 "0 of 3 answered ok"
trigger --url "$url" --count 40 --parallel 4 group_join
claim "a small load is counted" exits 0 "40 of 40 answered ok"
claim "and its latency told" exits 0 "p99"
claim "every event of it was another one" same 40 "$(grep 'event=group_join' \
    "$log" | grep -o ' id=[0-9a-f]*' | sort -u | wc -l)"
trigger --url "http://127.0.0.1:$(free_port)/" message_new
claim "a server that is not there is a problem" complains 1 "vkcb: http"
trigger --url http://127.0.0.1:99999/ message_new
claim "so is an address that is none" has "$work/err" 99999
claim "... which is not said to be another" lacks "$work/err" api_url
printf '{"type":"message_new"}' >"$work/secret"
trigger --url "file://$work/secret" message_new
claim "a URL that is no address of the web is refused" \
    complains 2 "http:// or https://"

"$app" trigger --file - <"$bodies/wall_post_new.json" >"$work/out" 2>&1
claim "standard input is a file too" has "$work/out" "answer: 200 ok"
trigger unlisted_event object.a=1
claim "so is an event that a handler takes by its name" \
    exits 0 "answer: 200 ok"
trigger mesage_new
claim "an unknown event names the nearest" complains 1 "message_new"
trigger message_new what
claim "a change without = is wrong usage" complains 2 "expected PATH=VALUE"
trigger message_new object.message.attachments.first.type=doc
claim "a name where a list has numbers is one too" \
    complains 1 "first is no place in a list"
# The JSON that is none, and where it stops being it.
while read -r json byte; do
	trigger --print message_new "object.a:=$json"
	claim "so is $json in place of JSON" complains 1 "at byte $byte"
done <<'END'
{ 2
nul 1
1,"zz":2 2
1}{ 2
{"a":1}} 8
END
trigger --print message_new object.a:=
claim "so is none" complains 1 "a value was expected, at byte 1"
trigger
claim "no event is wrong usage" complains 2 "usage:"
trigger --print --url "$url" message_new
claim "to show an event is not to post it" complains 2 "posts none"
for option in "--count x" "--count 0" "--parallel 65" "--retry -1"; do
	# shellcheck disable=SC2086 # words
	trigger $option message_new
	claim "so is $option, with its limits" complains 2 "$option: from "
done
trigger --retry "" message_new
claim "and no number at all" complains 2 "--retry : from 0 to 1000"
trigger like_add --help
claim "--help helps wherever it stands" exits 0 "--parallel M"
trigger --url file:///etc/hostname message_new
claim "so is a URL that is not the web's" complains 2 "http://"
# The test in shell of handlers/README.md, of a handler that is here.
sed -n '/^```sh$/,/^```$/{/^```/d;p;}' "$root/handlers/README.md" |
    sed "s|\./vkcb|$app|; s/=hello /=00-audit /" >"$work/readme.sh"
claim "the test in shell of handlers/README.md is one" \
    sh -c "cd $work && sh -e readme.sh"
configure "inbox = $run/inbox"
trigger message_new object.message.text=fail
claim "a configuration changed just now does not bring its inbox or log along" \
    exits 1 "answer: 500"
claim "the outcomes are still told here" \
    has "$work/err" "handler=outcomes outcome=fail"
configure
cat "$work/out" "$work/err" "$work/all" "$log" >"$work/everything"
claim "no output held the secret" lacks "$work/everything" "$secret"

done_testing
