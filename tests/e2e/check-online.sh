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
claim "a group without a server is an error" finds 1 "run vkcb setup URL"
"$app" setup "$url" >>"$work/everything" 2>&1
check
claim "a group is fine after setup" finds 0 "fine: group 219876543"
claim "a group that is fine has only a warning about events unknown to VK" same \
    "test_task, unlisted_event" \
    "$(sed -n 's/^warning: group .* ticked: \(.*\);.*/\1/p' "$work/out")"
claim "events unknown to VK are one warning" \
    same 1 "$(grep -c '^warning: group' "$work/out")"
claim "the status of our server is shown" finds 0 "ok (ours)"

claim "the probe of our server's URL is refused" \
    has "$log" 'status=403 group=219876543 event=vkcb_probe'
conf "$token" 219876543 "secret = none"
: >"$log"
check
claim "a group without a secret is fine" finds 0 "fine: group 219876543"
claim "the probe of a group without a secret is refused" \
    has "$log" 'detail="no type"'
claim "the probe of a group without a secret runs no handler" \
    lacks "$log" msg=handled
conf

vk_control longpoll on=1
check
claim "enabled Long Poll is a warning" finds 0 "Long Poll is switched on"
vk_control longpoll on=0
vk_control fault kind=error n=15 method=groups.getLongPollSettings
check
claim "an unknown state of Long Poll is a warning" \
    finds 0 "warning: group 219876543: groups.getLongPollSettings"
claim "a group is fine with an unknown state of Long Poll" \
    finds 0 "fine: group 219876543"
vk_control fault kind=answer text='[]' method=groups.getCallbackServers
check
claim "a list of servers in another format is an error" \
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
claim "a disabled event of a handler is an error" \
    finds 1 "not ticked, so that their handlers get none: message_new; run"
claim "an old API version is a warning" finds 1 "in version 5.131"
settings api_version=5.80 message_new=1
check
claim "an API version without objects is an error" \
    finds 1 "error: group 219876543: server $id: events come in version 5.80"
settings api_version=5.199 message_new=1

conf "$token" 219876543 "events = group_join"
"$app" setup "$url" >>"$work/everything" 2>&1
check
claim "events missing from \`events\` are reported as a choice" \
    finds 0 "\`events\` leaves out what handlers take, so that they get none"
settings api_version=5.199 group_join=0
check
claim "no enabled event of a handler is an error" \
    finds 1 "no event that a handler takes is ticked"
conf "$token" 219876543 "events = ALL"
check
claim "a name in \`events\` that VK does not know is reported" \
    finds 1 "not listed by VK, so that it is not known whether they are ticked: ALL"
conf
"$app" setup "$url" >>"$work/everything" 2>&1
for how in empty array missing; do
	vk_control list how=$how
	check
	claim "events that VK lists by $how are a warning" \
	    finds 0 "not listed by VK, so that it is not known whether"
	claim "a group is not called fine with events listed by $how" \
	    lacks "$work/out" fine:
done
vk_control list without=message_event
check
claim "an event that VK alone does not list is named" \
    finds 0 "not known whether they are ticked: message_event"
claim "a group is fine with an event that VK does not list" finds 0 "fine: group 219876543"
vk_control list how=all

conf "$token" 219876543 "secret = AnotherSecretThanVKs"
check
claim "a secret that differs from VK's is an error" \
    finds 1 "VK has another secret: each event is refused; run vkcb setup $url"
mv "$run/keys" "$run/away"
conf "$token" 219876543
check
claim "a missing secret is an error" finds 1 "there is no secret here yet"
mv "$run/away" "$run/keys"
conf "$token" 219876543 "secret = NewSecretOfThisTest
old_secret = $(sed -n 's/^secret = //p' "$run/keys")"
check
claim "VK's old_secret is fine" finds 0 "VK still has old_secret"
conf

vk_control server group=219876543 url="$url/" title=x secret=y status=ok
check
claim "a server with a different spelling of the URL is another program's" \
    lacks "$work/out" "our server's URL too"
vk_control server group=219876543 url="$url" title=x secret=y status=ok
vk_control server group=219876543 url="$url" title=x secret=y status=failed
check
claim "a second server with our URL is reported" \
    finds 0 "has our server's URL too: its events come twice"
claim "a failed server with our URL is reported" \
    finds 0 "has our server's URL too and is broken"
vk_control server group=219876543 url=http://127.0.0.1/other title=x secret=y \
    status=failed
check
claim "another program's server is ignored" finds 0 "fine: group"
vk_control fault kind=answer method=groups.getCallbackServers \
    text='{"items":[{"id":1,"url":"http://127.0.0.1/x","status":"ok"}]}'
check
claim "a missing server of ours is an error" \
    finds 1 "its callback server at $url is gone from VK: run vkcb setup $url"
cp "$run/keys" "$run/away"
sed -i '/^server_id/d; /^url/d' "$run/keys"
check
claim "our server is recognised by its secret alone" finds 0 "fine: group"
mv "$run/away" "$run/keys"

{ cat "$work/app/vkcb.conf"; printf '[group 5]\nsecret = none\n'; } \
    >"$work/app/new.conf"
mv "$work/app/new.conf" "$work/app/vkcb.conf"
check
claim "a group without a token is reported as not checked" \
    finds 0 "group 5: no token: not checked"
conf

# A group with nothing of its own.
sed 's/^\[group/[default]\nevents = group_join\n&/; /^token/d' \
    "$work/app/vkcb.conf" >"$work/app/new.conf"
sed -i "s/^\[default\]/&\ntoken = $token/" "$work/app/new.conf"
mv "$work/app/new.conf" "$work/app/vkcb.conf"
check
claim "a group is checked with the token and events of [default]" \
    finds 0 "ticked, but not wanted by \`events\` or a handler: message_new"
conf

vk_control event name=such_event
check
claim "a disabled event that only VK knows is an error for a handler of any event" \
    finds 1 "get none: such_event; run vkcb setup $url"
vk_control event

mv "$run/keys" "$run/away"
for status in unconfigured wait failed; do
	vk_control reset
	vk_control server group=219876543 url="$url" title=x secret=y \
	    status=$status
	check
	claim "a server with the status $status: advice to run setup" finds 1 \
	    "has the status $status: VK sends it nothing; run vkcb setup $url"
done
vk_control reset
mv "$run/away" "$run/keys"
"$app" setup "$url" >>"$work/everything" 2>&1

kill "$server"
gone "$server"
check
claim "a URL without an answer is an error" finds 1 "does not answer"
cp "$work/app/vkcb.conf" "$work/vkcb.conf"
from_contrib lighttpd-cgi.conf >"$run/vkcb.conf"
lighttpd_server
echo nonsense >"$work/app/vkcb.conf"
export VKCB_CONF="$work/vkcb.conf"
check
claim "an unconfigured vkcb is told from another program" \
    finds 1 "is a vkcb that has no configuration it can read"
unset VKCB_CONF
conf
kill "$server"
gone "$server"

vk_control server group=219876543 title=x secret=y status=ok \
    url="$(printf 'http://127.0.0.1:1/\033[2J\n\302\205')"
check
claim "a server's URL is shown in one line without control characters" \
    finds 1 '127.0.0.1:1/\u001b[2J\n\u0085: ok'
claim "no output has control characters" finds_none "$work/out" '[[:cntrl:]]'
vk_control fault kind=error n=15 text="$(printf 'no\033[31m\nred')"
check
claim "VK's error text is shown without control characters" \
    finds 1 'no\u001b[31m\nred (15)'

conf "$weak" 88
check
claim "a token without the right is a warning" \
    finds 0 "may not manage the community"
claim "a group with such a token is not called fine" lacks "$work/out" fine:
conf vk1.a.NoSuchToken
check
claim "an invalid token is an error" finds 1 "(5)"
vk_control fault kind=drop count=100
conf
check
claim "no response from VK is an error" finds 1 "getTokenPermissions"

printf '[group 1]\nsecret = none\n' >"$work/app/vkcb.conf"
check
claim "a configuration without any token is an error" \
    finds 1 "no group has a token"
kept=$(sed -n 's/^secret = //p' "$run/keys")
claim "no secret or token is in any output" \
    lacks "$work/everything" "$token" "$weak" "$kept"
claim "no secret or token is in the log" lacks "$log" "$token" "$weak" "$kept"

done_testing
