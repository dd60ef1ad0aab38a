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
claim "... and nothing is warned of" lacks "$work/out" "warning: group"
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

id=$(sed -n 's/^server_id = //p' "$run/keys")
settings() {
	curl -s -d "access_token=$token" -d group_id=219876543 -d v=5.199 \
	    -d "server_id=$id" -d "$1" -d "$2" \
	    "$api/method/groups.setCallbackSettings" >/dev/null
}
settings api_version=5.131 message_new=0
check
claim "an event that is not ticked is an error" \
    finds 1 "message_new is not ticked"
claim "an old API version is warned of" finds 1 "in version 5.131"
settings api_version=5.199 message_new=1

vk_control event name=such_event
check
claim "so is one that only VK knows, if a handler takes any" \
    finds 1 "such_event is not ticked"
vk_control event

kill "$server"
gone "$server"
check
claim "a URL that does not answer is an error" finds 1 "does not answer"

vk_control server group=219876543 title=x secret=y status=ok \
    url="$(printf 'http://127.0.0.1:1/\033[2J\n\302\205')"
check
claim "a server's URL is shown, as one line without controls" \
    finds 1 '127.0.0.1:1/\x1b[2J\n\xc2\x85: ok'
claim "... wherever it stands" sh -c "! grep -q '[[:cntrl:]]' '$work/out'"
vk_control fault kind=error n=15 text="$(printf 'no\033[31m\nred')"
check
claim "so are VK's words" finds 1 'no\x1b[31m\nred (15)'

conf "$weak" 88
check
claim "a token without the right is warned of" \
    finds 0 "may not manage the community"
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
