# setup-states.sh - `vkcb setup` for each state of a server at VK: it ends with
# exactly the wanted events ticked, or with a line that says what to do.
. tests/hosts.sh
. tests/vk.sh

weak=vk1.a.TokenWithoutTheRight0000000
start_vk "$token=219876543" "$weak=88:messages"
keys=$run/keys

# conf [LINE ...] - vkcb.conf; lines go into the group's section.
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

# handlers FOLDER - vkcb has the handlers of this folder of tests.
handlers() {
	cp "$root/$O/tests/$1/vkcb" "$app.new"
	mv "$app.new" "$app"
}

# call METHOD NAME=VALUE ... - calls VK; the response is in $work/response.
call() {
	until_true 5 call_once "$@"
}
# VK may refuse calls as too many per second.
call_once() {
	method=$1
	shift
	for pair; do
		set -- "$@" -d "$pair"
		shift
	done
	curl -s -d "access_token=$token" -d group_id=219876543 -d v=5.199 "$@" \
	    "$api/method/groups.$method" >"$work/response"
	lacks "$work/response" '"error_code":6,' >/dev/null
}

# at_vk STATUS [NAME=VALUE ...] - a server, whose ticked event is group_leave.
at_vk() {
	status=$1
	shift
	vk_control server group=219876543 url="$url" title=x \
	    secret=FromVKsOwnPages status="$status" "$@"
	call getCallbackServers
	id=$(grep -o '"id":[0-9]*' "$work/response" | tail -n 1 | tr -dc 0-9)
	call setCallbackSettings "server_id=$id" group_leave=1
}

# ticked [SERVER] - the events ticked at VK for this server, ours if not given.
ticked() {
	vk_control list how=all
	call getCallbackSettings \
	    "server_id=${1:-$(sed -n 's/^server_id = //p' "$keys")}"
	grep -o '"[a-z_]*":1' "$work/response" | tr -d '":1' | sort | xargs
}

setup() {
	"$app" setup "$@" "$url" >"$work/out" 2>"$work/err"
	echo $? >"$work/status"
}

# begin - as if nothing had been done before.
begin() {
	vk_control reset
	rm -f "$keys"
	conf
}

# ends_with STATE EVENTS [LINE] - setup ends well, prints the line, has exactly
# these events ticked, and has nothing more to do.
ends_with() {
	setup
	claim "$1: setup ends well" same 0 "$(cat "$work/status")"
	[ $# = 2 ] || claim "$1: setup says so" has "$work/out" "$3"
	claim "$1: exactly the wanted events are ticked" same "$2" "$(ticked)"
	setup
	claim "$1: a second run changes nothing" \
	    has "$work/out" "all is in order: nothing to do"
}

# advises STATE LINE - setup fails with this line alone, and changes nothing.
advises() {
	before=$(grep -cE '(add|edit|delete|set)Callback[A-Za-z]* 0' "$vk/calls")
	setup --group "${3:-219876543}"
	claim "$1: setup fails" same 1 "$(cat "$work/status")"
	claim "$1: a line says what to do" has "$work/err" "$2"
	claim "$1: no other line does" same 1 "$(wc -l <"$work/err")"
	claim "$1: nothing is changed" same "$before" "$(grep -cE \
	    '(add|edit|delete|set)Callback[A-Za-z]* 0' "$vk/calls")"
}

from_contrib lighttpd-fastcgi.conf >"$run/vkcb.conf"
handlers talk
conf
lighttpd_server
both="message_event message_new"

begin
ends_with "no server" "$both" "VK says the server is ok"

begin
at_vk unconfigured
ends_with "a server that VK does not check" "$both" \
    "remove the broken server $id, status unconfigured"

begin
at_vk wait
calls=$(wc -l <"$vk/calls")
(
	until_true 20 sh -c "tail -n +$calls '$vk/calls' | grep -q ConfirmationCode"
	vk_control check
) &
ends_with "a server that VK still checks" "$both" "VK says the server is ok"
wait $!

begin
at_vk failed
ends_with "a failed server" "$both" "remove the broken server $id, status failed"

begin
at_vk ok
ends_with "a server in order" "$both" "untick group_leave"

begin
at_vk ok url=http://127.0.0.1:1/other
other=$id
ends_with "another program's server" "$both" "add the server $url"
claim "another program's server: its events stay" \
    same group_leave "$(ticked "$other")"

begin
at_vk ok
ends_with "a server with another secret" "$both" "take over VK's secret"

begin
at_vk ok
conf "secret = SecretOfTheFile1234567"
ends_with "a server without the configured secret" "$both" \
    "give VK the configuration's secret"

# An event that VK does not list may be ticked: group_leave stays so.
for how in empty array missing ticked; do
	begin
	at_vk ok
	vk_control list how=$how
	setup
	claim "events listed by $how: setup ends well" \
	    same 0 "$(cat "$work/status")"
	wanted="group_leave $both"
	[ $how != ticked ] || wanted=$both
	claim "events listed by $how: the wanted events are ticked" \
	    same "$wanted" "$(ticked)"
	ends_with "events listed again after $how" "$both"
done

begin
at_vk ok
vk_control list without=message_event
setup
claim "an event that VK does not list: setup says so" \
    has "$work/out" "tick message_event, which VK does not list"
claim "an event that VK does not list: it is ticked" same "$both" "$(ticked)"

begin
at_vk ok
conf "events = message_new, no_such_event"
setup
claim "an event that VK does not have: setup ends well" \
    same 0 "$(cat "$work/status")"
claim "an event that VK does not have: a warning names it" \
    has "$work/out" "warning: VK has no event that is called no_such_event"
claim "an event that VK does not have: the others are ticked" \
    same message_new "$(ticked)"

# An event that only VK and a handler by ON_TYPE know.
handlers handlers
begin
conf "events = unlisted_event"
vk_control event name=unlisted_event
ends_with "an event that only VK knows" unlisted_event
begin
vk_control event name=unlisted_event
setup
claim "a handler by ON_TYPE: its event is ticked" \
    sh -c "echo ' $(ticked) ' | grep -q ' unlisted_event '"
handlers talk

begin
for i in 1 2 3 4 5 6 7 8 9 10; do
	vk_control server group=219876543 url="http://127.0.0.1/$i" title=x \
	    secret=y status=ok
done
advises "ten servers" "remove one"

begin
printf '[group 88]\ntoken = %s\n' "$weak" >>"$work/app/vkcb.conf"
advises "a token without the right" "right to manage" 88

done_testing
