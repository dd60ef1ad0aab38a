# check-online.sh - `vkcb check --online`: each finding with its remedy.
. tests/hosts.sh
. tests/vk.sh

weak=vk1.a.TokenWithoutTheRight0000000
start_vk "$token=219876543" "$weak=88:messages"

# conf [TOKEN [GROUP [LINE]]]
conf() {
	{
		printf '[vkcb]\nlog = %s\nkeys = %s\n' "$log" "$run/keys"
		printf 'api_url = %s/method/\nstate = %s\n' "$api" \
		    "$work/state"
		printf '[group %s]\ntoken = %s\n%s\n' \
		    "${2:-219876543}" "${1:-$token}" "${3-}"
	} >"$work/app/new.conf"
	mv "$work/app/new.conf" "$work/app/vkcb.conf"
}

check() {
	"$app" check --online >"$work/out" 2>&1
	echo $? >"$work/status"
	cat "$work/out" >>"$work/everything"
}

# finds STATUS TEXT
finds() {
	same "$1" "$(cat "$work/status")" && has "$work/out" "$2" && return
	cat "$work/out"
	return 1
}

from_contrib lighttpd-fastcgi.conf >"$run/vkcb.conf"
conf
lighttpd_server

check
claim "a group without a server is told of" finds 1 "run vkcb setup URL"
"$app" setup "$url" >>"$work/everything" 2>&1
check
claim "after setup all is fine" finds 0 "fine: group 219876543"
claim "... and all that is warned of is events that VK does not know" same \
    "test_task, unlisted_event" \
    "$(sed -n 's/^warning: group .* ticked: \(.*\);.*/\1/p' "$work/out")"
claim "... in one line" same 1 "$(grep -c '^warning: group' "$work/out")"
claim "our server is shown" finds 0 "ok (ours)"

claim "the probe of its URL is refused" \
    has "$log" 'status=403 group=219876543 event=vkcb_probe'
conf "$token" 219876543 "secret = none"
: >"$log"
check
claim "a group that takes anything is fine" finds 0 "fine: group 219876543"
claim "... its probe is refused too" has "$log" 'detail="no type"'
claim "... and no handler ran" lacks "$log" msg=handled
conf

vk_control longpoll on=1
check
claim "Long Poll is warned of" finds 0 "Long Poll is switched on"
vk_control longpoll on=0
vk_control fault kind=error n=15 method=groups.getLongPollSettings
check
claim "not to know of it keeps no event from arriving" \
    finds 0 "warning: group 219876543: groups.getLongPollSettings"
claim "... so all is fine" finds 0 "fine: group 219876543"
vk_control fault kind=answer text='[]' method=groups.getCallbackServers
check
claim "a list of servers of another shape is an error" \
    finds 1 "getCallbackServers: an answer that is not VK's"
id=$(sed -n 's/^server_id = //p' "$run/keys")
settings() {
	until_true 5 set_at_vk "$@"
}
# VK may say that there were too many calls in this second.
set_at_vk() {
	curl -s -d "access_token=$token" -d group_id=219876543 -d v=5.199 \
	    -d "server_id=$id" -d "$1" -d "$2" \
	    "$api/method/groups.setCallbackSettings" >"$work/answer"
	lacks "$work/answer" '"error_code":6,'
}
settings api_version=5.131 message_new=0
check
claim "an event that is not ticked is an error" \
    finds 1 "not ticked, so that their handlers get none: message_new; run"
claim "an old API version is warned of" finds 1 "in version 5.131"
settings api_version=5.80 message_new=1
check
claim "one in which VK sends no objects is an error" \
    finds 1 "error: group 219876543: server $id: events come in version 5.80"
settings api_version=5.199 message_new=1

conf "$token" 219876543 "events = group_join"
"$app" setup "$url" >>"$work/everything" 2>&1
check
claim "what \`events\` leaves out is told of, as the choice it is" \
    finds 0 "\`events\` leaves out what handlers take, so that they get none"
settings api_version=5.199 group_join=0
check
claim "no event at all that a handler takes is an error" \
    finds 1 "no event that a handler takes is ticked"
conf "$token" 219876543 "events = ALL"
check
claim "a name that VK has not is told of" \
    finds 1 "not listed by VK, so that it is not known whether they are ticked: ALL"
conf
"$app" setup "$url" >>"$work/everything" 2>&1
for how in empty array missing; do
	vk_control list how=$how
	check
	claim "of events that VK lists by $how it is said that nobody knows" \
	    finds 0 "not listed by VK, so that it is not known whether"
	claim "... so that nothing is said to be fine" lacks "$work/out" fine:
done
vk_control list without=message_event
check
claim "an event that VK alone does not list is named" \
    finds 0 "not known whether they are ticked: message_event"
claim "... and the others arrive" finds 0 "fine: group 219876543"
vk_control list how=all

conf "$token" 219876543 "secret = AnotherSecretThanVKs"
check
claim "a secret that is not VK's is an error" \
    finds 1 "VK has another secret: each event is refused; run vkcb setup $url"
mv "$run/keys" "$run/away"
conf "$token" 219876543
check
claim "so is none at all" finds 1 "there is no secret here yet"
mv "$run/away" "$run/keys"
conf "$token" 219876543 "secret = NewSecretOfThisTest
old_secret = $(sed -n 's/^secret = //p' "$run/keys")"
check
claim "the old secret will do for now" finds 0 "VK has old_secret still"
conf

vk_control server group=219876543 url="$url/" title=x secret=y status=ok
check
claim "a server whose URL is spelt differently is another program's" \
    lacks "$work/out" "the URL of ours"
vk_control server group=219876543 url="$url" title=x secret=y status=ok
vk_control server group=219876543 url="$url" title=x secret=y status=failed
check
claim "a second server with our URL is told of" \
    finds 0 "has the URL of ours too: its events come twice"
claim "... and a broken one" finds 0 "has the URL of ours too and is broken"
vk_control server group=219876543 url=http://127.0.0.1/other title=x secret=y \
    status=failed
check
claim "another program's server is its own business" finds 0 "fine: group"
vk_control fault kind=answer method=groups.getCallbackServers \
    text='{"items":[{"id":1,"url":"http://127.0.0.1/x","status":"ok"}]}'
check
claim "that ours is gone is an error" \
    finds 1 "its callback server at $url is gone from VK: run vkcb setup $url"
cp "$run/keys" "$run/away"
sed -i '/^server_id/d; /^url/d' "$run/keys"
check
claim "... also where only the secret tells ours" finds 0 "fine: group"
mv "$run/away" "$run/keys"

{ cat "$work/app/vkcb.conf"; printf '[group 5]\nsecret = none\n'; } \
    >"$work/app/new.conf"
mv "$work/app/new.conf" "$work/app/vkcb.conf"
check
claim "a group without a token is said not to be looked into" \
    finds 0 "group 5: no token: not looked into"
conf

vk_control event name=such_event
check
claim "so is one that only VK knows, if a handler takes any" \
    finds 1 "get none: such_event; run vkcb setup $url"
vk_control event

kill "$server"
gone "$server"
check
claim "a URL that does not answer is an error" finds 1 "does not answer"
cp "$work/app/vkcb.conf" "$work/vkcb.conf"
from_contrib lighttpd-cgi.conf >"$run/vkcb.conf"
lighttpd_server
echo nonsense >"$work/app/vkcb.conf"
export VKCB_CONF="$work/vkcb.conf"
check
claim "a vkcb without a configuration is told from what is none" \
    finds 1 "is a vkcb that has no configuration it can read"
unset VKCB_CONF
conf
kill "$server"
gone "$server"

vk_control server group=219876543 title=x secret=y status=ok \
    url="$(printf 'http://127.0.0.1:1/\033[2J\n\302\205')"
check
claim "a server's URL is shown, as one line without controls" \
    finds 1 '127.0.0.1:1/\x1b[2J\n\xc2\x85: ok'
claim "... wherever it stands" finds_none "$work/out" '[[:cntrl:]]'
vk_control fault kind=error n=15 text="$(printf 'no\033[31m\nred')"
check
claim "so are VK's words" finds 1 'no\x1b[31m\nred (15)'

conf "$weak" 88
check
claim "a token without the right is warned of" \
    finds 0 "may not manage the community"
claim "... and nothing is said to be fine" lacks "$work/out" fine:
conf vk1.a.NoSuchToken
check
claim "a token that is not good is an error" finds 1 "(5)"
vk_control fault kind=drop count=100
conf
check
claim "so is VK's silence" finds 1 "getTokenPermissions"

printf '[group 1]\nsecret = none\n' >"$work/app/vkcb.conf"
check
claim "without a token there is nothing to ask with" \
    finds 1 "no group has a token"
kept=$(sed -n 's/^secret = //p' "$run/keys")
claim "no secret or token is in any output" \
    lacks "$work/everything" "$token" "$weak" "$kept"
claim "... nor in the log" lacks "$log" "$token" "$weak" "$kept"

done_testing
