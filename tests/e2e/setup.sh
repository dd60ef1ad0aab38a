# setup.sh - `vkcb setup`, with vkcb behind lighttpd for VK to confirm.
. tests/hosts.sh
. tests/vk.sh

other=vk1.a.AnotherTokenOfTheTest98765
weak=vk1.a.TokenWithoutTheRight0000000
start_vk "$token=219876543" "$other=77" "$weak=88:messages"
keys=$run/keys
nobody=http://127.0.0.1:$(free_port)/

# conf [LINE ...] - vkcb.conf without secrets; lines go into the first group.
conf() {
	{
		printf '[vkcb]\nlog = %s\nkeys = %s\n' "$log" "$keys"
		printf 'api_url = %s/method/\nstate = %s\n' "$api" \
		    "$work/state"
		printf '[group 219876543]\ntoken = %s\n' "$token"
		[ $# = 0 ] || printf '%s\n' "$@"
	} >"$work/app/new.conf"
	mv "$work/app/new.conf" "$work/app/vkcb.conf"
}

setup() {
	"$app" setup "$@" >"$work/out" 2>"$work/err"
	echo $? >"$work/status"
	cat "$work/out" "$work/err" >>"$work/everything"
}

# did STATUS TEXT - setup's exit status, and text on its standard output.
did() {
	same "$1" "$(cat "$work/status")" && has "$work/out" "$2" && return
	cat "$work/err"
	return 1
}

# failed TEXT - setup failed, with this text on standard error.
failed() {
	same 1 "$(cat "$work/status")" && has "$work/err" "$1"
}

kept() {
	sed -n "s/^$1 = //p" "$keys"
}

# ticked NAME=FLAG - the settings of our server at VK have this.
ticked() {
	until_true 5 settings_at_vk
	has "$work/settings" "\"${1%=*}\":${1#*=}"
}
# VK may refuse calls as too many per second.
settings_at_vk() {
	curl -s -d "access_token=$token" -d group_id=219876543 -d v=5.199 \
	    -d "server_id=$(kept server_id)" \
	    "$api/method/groups.getCallbackSettings" >"$work/settings"
	lacks "$work/settings" '"error_code":6,'
}

calls() {
	wc -l <"$vk/calls"
}

changing() {
	grep -cE '^groups.(add|edit|delete|set)Callback[A-Za-z]* 0' \
	    "$vk/calls"
}

from_contrib lighttpd-fastcgi.conf >"$run/vkcb.conf"
conf
lighttpd_server

setup --dry-run "$url"
claim "a dry run prints the plan" did 0 "would: add the server $url"
claim "a dry run prints the whole plan" \
    did 0 "would: tick the events that the handlers take: message_new, message"
claim "a dry run changes nothing at VK" same 0 "$(changing)"
claim "a dry run writes neither keys nor a lock" \
    same "" "$(find "$(dirname "$keys")" -name "${keys##*/}*")"

setup "$url"
claim "the server is added, and VK confirms it" \
    did 0 "VK says the server is ok"
claim "the keys file is readable by its owner alone" \
    same 600 "$(stat -c %a "$keys")"
claim "the secret has 32 letters and digits" sh -c "
	sed -n 's/^secret = //p' $keys | grep -Eqx '[A-Za-z0-9]{32}'"
claim "the handlers' events are ticked and no others, with the version" \
    grep -q 'setCallbackSettings 0 .*api_version=5.199' "$vk/calls"
event_now() {
	event message_new '{"message":{"text":"hi","from_id":1,"peer_id":1}}' \
	    "$1" >"$work/body"
	curl -s --data-binary "@$work/body" "$url"
}
claim "an event with VK's secret is accepted" \
    same ok "$(event_now "$(kept secret)")"
claim "an event with another secret is refused" \
    same "Bad Secret" "$(event_now "$secret")"

before=$(changing)
setup "$url"
claim "a second run has nothing to do" did 0 "nothing to do"
claim "a second run changes nothing at VK" same "$before" "$(changing)"

vk_control event name=such_event
setup "$url"
claim "a handler of any event enables an event that only VK knows" \
    grep -q 'setCallbackSettings 0 .*such_event=1' "$vk/calls"
setup "$url"
claim "a second run for any event has nothing to do" did 0 "nothing to do"

vk_control code code=c0ffee42
printf '{"type":"confirmation","group_id":219876543,"secret":"%s"}' \
    "$(kept secret)" >"$work/body"
claim "a changed confirmation string is queried from VK" \
    same c0ffee42 "$(curl -s --data-binary "@$work/body" "$url")"
sed -i 's/^\[vkcb\]/&\nconfirm_without_secret = yes/' "$work/app/vkcb.conf"
before=$(calls)
claim "a request without a secret gets the stored string" same \
    "$(kept confirmation)" "$(curl -s -d \
    '{"type":"confirmation","group_id":219876543}' "$url")"
claim "a request without a secret causes no query" same "$before" "$(calls)"
vk_control fault kind=drop count=2
claim "the stored string is used without a response from VK" \
    same "$(kept confirmation)" "$(curl -s --data-binary "@$work/body" "$url")"

conf "secret = none"
claim "a group without a secret gets VK's current string" same c0ffee42 \
    "$(curl -s -d '{"type":"confirmation","group_id":219876543}' "$url")"
before=$(calls)
for _ in 1 2 3 4 5 6 7 8 9; do
	curl -s -d '{"type":"confirmation","group_id":219876543}' "$url"
done >"$work/answers"
claim "a group without a secret does not query VK each time" \
    test "$(calls)" -lt $((before + 9))
claim "a group without a secret gets the stored string between queries" \
    has "$work/answers" "$(kept confirmation)"

old=$(kept secret)
conf "secret = SecretOfTheFile1234567" "confirmation = not-vks"
before=$(changing)
setup "$url"
claim "a wrong confirmation string ends setup before the server is edited" \
    failed "remove that line"
claim "a wrong confirmation string changes nothing at VK" \
    same "$before" "$(changing)"
conf "secret = SecretOfTheFile1234567"
setup "$url"
claim "a configured secret is given to VK" \
    did 0 "give VK the configuration's secret"
claim "a configured secret is given to VK by editing the server" \
    grep -q 'editCallbackServer 0' "$vk/calls"
claim "a configured secret is in force" \
    same ok "$(event_now SecretOfTheFile1234567)"
claim "the secret from before setup is refused" \
    same "Bad Secret" "$(event_now "$old")"

vk_control reset
vk_control fault kind=error n=100 method=groups.addCallbackServer \
    text="secret_key SecretOfTheFile1234567 is invalid"
setup "$url"
claim "VK's error text is not printed if it quotes the secret" \
    failed "(an error text with a secret in it) (100)"
vk_control fault kind=error n=100 method=groups.addCallbackServer \
    text="$(printf '"red" \033[31m\nwords')"
setup "$url"
claim "VK's error text is printed in one line without control characters" \
    failed '"red" \u001b[31m\nwords (100)'

conf
vk_control reset
vk_control server group=219876543 url="$url" title=x secret=y status=failed
setup --dry-run "$url"
claim "a dry run says that a failed server would be replaced" sh -c "
	grep -q 'would: remove the broken server' $work/out &&
	grep -q 'would: add the server' $work/out &&
	grep -q 'would: tick' $work/out"
rm "$keys"
setup --group 219876543 "$url"
claim "a failed server is removed" did 0 "remove the broken server"
claim "a failed server is replaced by one in order" \
    did 0 "VK says the server is ok"

conf "events = message_new, group_join"
setup --dry-run "$nobody"
claim "a dry run prints the configured events" \
    did 0 "would: tick the events that \`events\` names: message_new, group_join"
setup "$url"
claim "configured events win over the handlers' events" \
    grep -q 'setCallbackSettings 0 .*group_leave=0' "$vk/calls"

claim "handlers' events that are not configured are reported" \
    did 0 "\`events\` leaves out what handlers take: message_reply"
claim "disabled events are reported" did 0 "untick "
before=$(changing)
conf "events = ALL"
setup "$url"
claim "events that VK does not know disable nothing" \
    failed "no event that VK has"
claim "events that VK does not know are shown as written" \
    has "$work/err" "\`events = ALL\`"
claim "events that VK does not know change nothing at VK" \
    same "$before" "$(changing)"
conf "events = message_new, no_such_event"
setup "$url"
claim "a single event that VK does not know is named" \
    did 0 "no event that is called no_such_event"

# VK's list lacks events: unlisted events are unknown.
conf
for how in empty array missing ticked; do
	vk_control list how=all
	conf "events = group_join"
	setup "$url"
	vk_control list how=$how
	conf
	setup "$url"
	claim "events that VK lists by $how are ticked all the same" \
	    did 0 "tick message_new, which VK does not list"
	vk_control list how=all
	claim "events that VK lists by $how are ticked at VK" \
	    ticked message_new=1
done
vk_control list without=message_event
setup "$url"
claim "an event that VK alone does not list is ticked in a call of its own" \
    sh -c "
	grep 'setCallbackSettings 0' $vk/calls | grep message_event=1 |
	grep -vq message_new="
setup --dry-run "$url"
claim "a dry run names the event that VK does not list" \
    did 0 "would: tick message_event, which VK does not list"
unticked() {
	grep -c 'setCallbackSettings 0 .*message_event=0' "$vk/calls"
}
before=$(unticked)
conf "events = group_join"
setup "$url"
claim "an event that VK does not list is never unticked" \
    same "$before" "$(unticked)"
claim "an event that VK lists is unticked" did 0 "untick message_new"
conf
vk_control list how=all
setup "$url"
claim "an event that VK refuses, of a handler by ON_TYPE, is warned of" \
    did 0 "warning: VK has no event that is called unlisted_event"
vk_control event name=app_payload
setup "$url"
claim "an event that VK lists and the catalogue calls not settable is ticked" \
    grep -q 'setCallbackSettings 0 .*app_payload=1' "$vk/calls"
vk_control event

conf
rm "$keys"
setup --remove "$url"
claim "--remove removes the server" did 0 "remove the server"
vk_control server group=219876543 url="$url" title=x secret=y status=failed
conf "confirmation = other123"
before=$(changing)
setup "$url"
claim "a failed server is not removed before all else is checked" \
    failed "remove that line"
claim "a failed check changes nothing at VK" same "$before" "$(changing)"
vk_control reset
setup "$url"
claim "a wrong confirmation string is reported" \
    failed "remove that line"
conf

setup "$nobody"
claim "a URL without an answer is reported" \
    failed "does it lead to this vkcb"

vk_control reset
vk_control server group=219876543 url="$nobody" title=x secret=y status=ok
conf "secret = SecretOfTheFile1234567"
setup "$nobody"
claim "a failed confirmation after an edit is reported" \
    failed "does it lead to this vkcb"
claim "a failed confirmation after an edit keeps the server's title" \
    grep -q 'editCallbackServer 0 .*title=x ' "$vk/calls"
conf

# A title of the configuration's, and one that only VK has.
vk_control reset
rm -f "$keys"
conf "title = Бот сообщества"
setup "$url"
claim "a server is added with the configured title" \
    grep -q 'addCallbackServer 0 .*title=Бот.сообщества ' "$vk/calls"
setup "$url"
claim "a second run with a title has nothing to do" did 0 "nothing to do"
conf "title = Заказы"
setup --dry-run "$url"
claim "a dry run prints the new title" \
    did 0 "would: name the server Заказы"
setup "$url"
claim "a server gets the new title" did 0 "name the server Заказы"
claim "a server with a new title keeps its secret" \
    same ok "$(event_now "$(kept secret)")"
setup "$url"
claim "a run after a new title has nothing to do" did 0 "nothing to do"
conf
setup "$url"
claim "VK's title stays without a configured one" did 0 "nothing to do"
conf "secret = none" "title = Заявки"
setup "$url"
claim "a title leaves VK's secret where the configuration has none" \
    grep -q "editCallbackServer 0 .*title=Заявки secret_key=$(kept secret)" \
    "$vk/calls"

# [default]: a group without keys of its own.
default() {
	{
		sed '/^\[group/,$d' "$work/app/vkcb.conf"
		printf '[default]\ntoken = %s\n' "$token"
		printf '%s\n' "$@"
		printf '[group 219876543]\n'
	} >"$work/app/new.conf"
	mv "$work/app/new.conf" "$work/app/vkcb.conf"
}
vk_control reset
rm -f "$keys"
conf
default "secret = SecretOfTheFile1234567" "confirmation = not-vks" \
    "title = Default" "events = group_join"
setup "$url"
claim "a group with [default]'s token is set up" \
    did 0 "VK says the server is ok"
claim "[default]'s events are ticked" \
    did 0 "tick the events that \`events\` names: group_join"
claim "[default]'s title and secret are the server's" grep -q \
    'addCallbackServer 0 .*title=Default secret_key=SecretOfTheFile1234567' \
    "$vk/calls"
claim "an event with [default]'s secret is accepted" \
    same ok "$(event_now SecretOfTheFile1234567)"
claim "VK's string is stored in place of [default]'s" \
    same c0ffee42 "$(kept confirmation)"
claim "[default]'s secret is not stored" lacks "$keys" secret
vk_control reset
rm -f "$keys"
conf
default "secret = none"
setup "$url"
claim "a group does not take \`secret = none\` of [default]" \
    same 32 "$(kept secret | tr -d '\n' | wc -c)"
printf '[group 5]\n' >>"$work/app/vkcb.conf"
setup "$url"
claim "a group with another group's token of [default] is reported" \
    failed "belongs to group 219876543: give each section"
printf 'token = none\nsecret = x\n' >>"$work/app/vkcb.conf"
setup "$url"
claim "a group with \`token = none\` is left out" did 0 "nothing to do"
conf

sed -i "s/$token/$other/" "$work/app/vkcb.conf"
setup "$url"
claim "a token of another group is reported" failed "belongs to group 77"
conf
sed -i "s/$token/vk1.a.NoSuchToken/" "$work/app/vkcb.conf"
setup "$url"
claim "an invalid token: advice to create a new one" \
    failed "make a new one"
printf '[group 88]\ntoken = %s\n' "$weak" >>"$work/app/vkcb.conf"
setup --group 88 "$url"
claim "a token without the right: advice to create one with the right" \
    failed "right to manage"
conf
vk_control fault kind=answer text='{"groups":[]}' method=groups.getById
setup "$url"
claim "a token of no group: advice to create a group's token" \
    failed "belongs to no community"
vk_control fault kind=error n=100 method=groups.getById
setup "$url"
claim "a user's token is suspected if VK asks for a group" \
    failed "is it a community's token"
vk_control fault kind=answer text='[]' method=groups.getCallbackServers
setup "$url"
claim "a list of servers in another format is an error" \
    failed "getCallbackServers: an answer that is not VK's"
sed -i "s,$api/method/,$api/," "$work/app/vkcb.conf"
setup "$url"
claim "a response that is not VK's: advice to check api_url" \
    failed "check api_url"
conf
rm -f "$keys"
vk_control reset
vk_control server group=219876543 url="$url" title=x secret=FromVKsOwnPages \
    status=ok
setup "$url"
claim "VK's secret is taken over if the configuration has none" \
    did 0 "take over VK's secret"
claim "VK's secret is stored" same FromVKsOwnPages "$(kept secret)"
vk_control reset
vk_control server group=219876543 url="$url" title=x secret= status=ok
setup "$url"
claim "a secret that VK has lost is given to VK" \
    did 0 "give VK the stored secret"
rm "$keys"
vk_control reset
vk_control server group=219876543 url="$url" title=x secret= status=ok
setup "$url"
claim "a secret is generated if there is none" \
    did 0 "give VK a new secret"
claim "a generated secret is in force" \
    same ok "$(event_now "$(kept secret)")"

# A line of the file would end early, or become another line.
for odd in 'abc ;def' ';semi' ' x' "$(printf 'a\n[group 5]')" \
    123456789012345678901234567890123456789012345678901; do
	rm -f "$keys"
	vk_control reset
	vk_control server group=219876543 url="$url" title=x secret="$odd" \
	    status=ok
	setup "$url"
	shown=$(echo "$odd" | tr '\n' ' ')
	claim "VK's secret \"$shown\" is not stored" \
	    did 0 "VK's secret cannot be stored"
	claim "a new secret replaces VK's \"$shown\"" \
	    same ok "$(event_now "$(kept secret)")"
	setup "$url"
	claim "VK's secret \"$shown\" is replaced once" did 0 "nothing to do"
done
vk_control reset
for odd in 'abc ;def' "$(printf 'a\n[group 5]')"; do
	vk_control code code="$odd"
	rm -f "$keys"
	setup "$url"
	shown=$(echo "$odd" | tr '\n' ' ')
	claim "VK's confirmation string \"$shown\" is not stored" \
	    failed "confirmation string cannot be stored"
done
vk_control code code=c0ffee42

vk_control reset
vk_control server group=219876543 url="$url" title=x status=ok \
    secret=SecretOfTheFile1234567
conf "secret = SecretOfTheFile1234567"
rm -f "$keys"
setup "$url"
claim "a server in order is recognised by its id" \
    grep -q '^server_id = [1-9]' "$keys"
conf "secret = none"
vk_control reset
vk_control server group=219876543 url="$url" title=x secret=x status=ok
setup "$url"
claim "VK's secret is not taken over if none is needed" \
    lacks "$work/out" "take over"
conf

# at_vk [ID] - gets VK's servers; true if this one is among them.
at_vk() {
	until_true 5 servers_at_vk
	has "$work/servers" "\"id\":${1-},"
}
servers_at_vk() {
	curl -s -d "access_token=$token" -d group_id=219876543 -d v=5.199 \
	    "$api/method/groups.getCallbackServers" >"$work/servers"
	lacks "$work/servers" '"error_code":6,'
}

# number STATUS [URL] - adds such a server, with our URL; its id is $id.
number() {
	vk_control server group=219876543 url="${2:-$url}" title=x \
	    secret=FromVKsOwnPages status="$1"
	at_vk
	id=$(grep -o '"id":[0-9]*' "$work/servers" | tail -n 1 | tr -dc 0-9)
}
vk_control reset
rm -f "$keys"
number ok
setup "$url"
before=$(kept server_id)
number failed
broken=$id
number ok
setup --dry-run "$url"
claim "a dry run names the failed server that would be removed" \
    did 0 "would: remove the broken server $broken, status failed: $url"
setup "$url"
claim "a failed server beside ours is removed, named by id and URL" \
    did 0 "remove the broken server $broken, status failed: $url"
claim "a working server with our URL is a warning" \
    did 0 "remove it on VK's page Settings, API usage, Callback API: $id, "
claim "a working server with our URL stays" at_vk "$id"
claim "our server stays beside others" \
    same "$before" "$(kept server_id)"
setup "$url"
claim "a further run changes none of the servers" did 0 "nothing to do"

for spelt in "$url/" "HTTP${url#http}" "http://127.0.0.1:0$port/callback"; do
	vk_control reset
	rm -f "$keys"
	number ok "$spelt"
	theirs=$id
	setup "$url"
	claim "$spelt is another program's: our server is added" \
	    did 0 "add the server $url"
	claim "$spelt: the other program's secret is not taken over" \
	    lacks "$keys" "secret = FromVKsOwnPages"
	claim "$spelt: the other program's server stays" at_vk "$theirs"
	setup "$url"
	claim "$spelt: a further run has nothing to do" did 0 "nothing to do"
	setup --remove "$url"
	claim "$spelt: --remove names the URL of the removed server" \
	    did 0 "remove the server $(kept server_id), status ok: $url"
	at_vk
	claim "$spelt: our server is removed" \
	    lacks "$work/servers" "\"id\":$(kept server_id),"
	claim "$spelt: the other program's server is not removed" \
	    at_vk "$theirs"
done

for spelt in "HTTP${url#http}/" "http://127.0.0.1:0$port/callback"; do
	vk_control reset
	rm -f "$keys"
	vk_control respell url="$spelt"
	setup "$url"
	claim "setup waits for our server, listed as $spelt" \
	    did 0 "VK says the server is ok"
	setup "$url"
	claim "our server is found again, listed as $spelt" \
	    did 0 "nothing to do"
done

vk_control reset
rm -f "$keys"
number wait
script -qefc "$app setup $url" "$work/terminal" </dev/null >/dev/null &
waits=$!
ends $waits
until_true 10 grep -q '^groups.getCallbackConf' "$vk/calls"
until_true 20 grep -q '[.][.]' "$work/terminal"
vk_control check
claim "setup waits for a server that VK still checks" wait $waits
claim "setup shows its waiting on a terminal" grep -q '^[.][.]' "$work/terminal"
claim "a server that VK has checked is kept" same "$id" "$(kept server_id)"

vk_control reset
rm -f "$keys"
number unconfigured
before=$(calls)
setup "$url"
claim "a server that VK does not begin to check is replaced" \
    did 0 "remove the broken server $id, status unconfigured: $url"
claim "a server that VK does not check is replaced within seconds" \
    test $(($(calls) - before)) -lt 25

removals() {
	grep -c 'deleteCallbackServer 0' "$vk/calls"
}
for how in '' --remove; do
	vk_control reset
	vk_control server group=219876543 url="$url" title=x secret=y \
	    status=failed
	vk_control fault kind=answer text=1 count=20 \
	    method=groups.deleteCallbackServer
	before=$(removals)
	# shellcheck disable=SC2086 # no option is no argument
	setup $how "$url"
	claim "setup $how: a server that VK does not remove ends setup" \
	    failed "still lists a server"
	claim "setup $how: a server that VK does not remove is tried once" \
	    same 1 $(($(removals) - before))
done

vk_control reset
for i in $(seq 10); do
	vk_control server group=219876543 url="http://127.0.0.1/$i" title=x \
	    secret=y status=ok
done
setup "$url"
claim "ten servers: advice to remove one" failed "remove one"
setup --dry-run http://vkcb.example/
claim "plain http is a warning" has "$work/err" "plain http"
setup --dry-run "$url"
claim "plain http to this machine is no warning" cmp "$work/err" /dev/null
for wrong in vkcb.example https:// https:///x http://:80/x http://?x; do
	setup "$wrong"
	claim "$wrong, without a scheme or host, is wrong usage" \
	    same 2 "$(cat "$work/status")"
done
setup "https://vkcb.example/a b"
claim "a URL with a blank is wrong usage" same 2 "$(cat "$work/status")"
setup --group "" "$url"
claim "an invalid group id is wrong usage" same 2 "$(cat "$work/status")"
setup "$nobody" extra
claim "two URLs are wrong usage" same 2 "$(cat "$work/status")"
setup --group 5 "$url"
claim "an unknown group is an error" failed "no such group"

vk_control reset
exec 9>"$keys.lock"
flock -n 9
setup "$url"
claim "a second setup at the same time is an error" \
    failed "another vkcb setup is running"
exec 9>&-
printf '[group 219876543]\nwrong = 1\n' >"$keys"
setup "$url"
claim "a file that is not a keys file is refused and unchanged" \
    failed "not what vkcb setup writes"

if [ "$(id -u)" = 0 ]; then
	rm -f "$keys" "$keys.lock" "$work"/state/*
	chown 65534 "$run" "$work/state"
	setup "$url"
	claim "files that root's setup creates belong to the folder's owner" \
	    same "65534 65534" "$(stat -c %u "$keys.lock") $(stat -c %u \
	    "$work"/state/rate-*)"
	claim "the keys file of root's setup is readable by the folder's owner alone" \
	    same "65534 600" "$(stat -c '%u %a' "$keys")"
	rm "$keys.lock"
	: >"$work/roots"
	ln "$work/roots" "$keys.lock"
	setup "$url"
	claim "a link to a file of root does not change the file's owner" \
	    same 0 "$(stat -c %u "$work/roots")"
	rm -f "$keys.lock" "$keys"
	chown 0 "$run"
	setup "$url"
	claim "keys in root's own folder belong to root, with a message" \
	    did 0 "belongs to root, like its folder"
	chmod 644 "$keys"
	rm -f "$keys.lock" "$work"/state/*
	chmod 777 "$work/state"
	chmod 1777 "$run"
	vk_control reset
	setpriv --reuid=65534 --clear-groups "$app" setup "$url" \
	    >"$work/out" 2>"$work/err"
	echo $? >"$work/status"
	claim "another user is told the owner of the keys" \
	    failed "it belongs to another user: run setup as that user"
	chmod 755 "$run"
else
	skip "only root can make files of other users" 5
	rm "$keys"
fi

sed -i 's/^state/api_timeout = 3100ms\nstate/' "$work/app/vkcb.conf"
vk_control fault kind=slow n=5000 method=groups.getById
setup "$url" --dry-run
claim "a long wait for VK is told of" has "$work/err" \
    ": trying again for up to"
claim "... and no short one" same 1 "$(wc -l <"$work/err")"

mv "$keys" "$run/real" 2>/dev/null || : >"$run/real"
ln -s real "$keys"
setup "$url"
claim "a link as keys file is refused" failed "a link"
claim "a link as keys file is unchanged" test -L "$keys"

sent=SecretOfTheFile1234567
claim "no secret or token is in any output" \
    lacks "$work/everything" "$token" "$other" "$weak" "$old" "$sent"
claim "no secret or token is in the log" \
    lacks "$log" "$token" "$other" "$weak" "$old" "$sent"

done_testing
