# vk.sh - shared by tests that call VK, after lib.sh: a stand-in for VK's API
# (tests/tool/vk-api.c) in $vk, and a configuration that uses the stand-in.
# shellcheck shell=sh disable=SC2154 # of lib.sh: work, root

token=vk1.a.Zq8sTokenOfTheTest0123456789
vk=$work/vk
mkdir "$vk" "$work/state"

# start_vk [TOKEN=GROUP ...] - starts the stand-in; $api is its URL.
start_vk() {
	"$root/$O/tests/tool/vk-api" "$vk" "${@:-$token=219876543}" &
	ends $!
	until_true 10 test -s "$vk/port" || exit 1
	api=http://127.0.0.1:$(cat "$vk/port")
}

# vk_control WHAT [NAME=VALUE ...] - changes the stand-in, see vk-api.c.
vk_control() {
	control=$1
	shift
	for pair; do
		set -- "$@" --data-urlencode "$pair"
		shift
	done
	curl -fsS -G "$@" "$api/control/$control" >/dev/null
}

# vk_conf [LINE ...] - the configuration, with more lines of [vkcb].
vk_conf() {
	{
		printf '[vkcb]\nrepeats = again\n'
		printf 'api_url = %s/method/\nstate = %s\n' "$api" \
		    "$work/state"
		printf '%s\n' "$@"
		printf '[group 219876543]\nsecret = Kf7vQ2mXw9aLcR4t\n'
		printf 'confirmation = 7d1a2b3c\ntoken = %s\n' "$token"
	} >"$work/vkcb.conf"
	chmod 600 "$work/vkcb.conf"
	export VKCB_CONF="$work/vkcb.conf"
}

# message TEXT [EVENT-ID] - a body of message_new with this text, in a file.
message() {
	printf '{"type":"message_new","group_id":219876543,"event_id":"%s",%s' \
	    "${2:-4f00$(echo "$1" | cksum | tr -d ' ')}" '"v":"5.199",'
	printf '"object":{"message":{"id":5,"conversation_message_id":97,'
	printf '"peer_id":412345678,"from_id":412345678,"text":"%s"},' "$1"
	printf '"client_info":{}},"secret":"Kf7vQ2mXw9aLcR4t"}'
}

# say TEXT [EVENT-ID] - sends the message as a CGI request; prints the answer.
say() {
	message "$@" >"$work/body"
	cgi "$work/body" | tr -d '\r' |
	    sed -n '1s/^Status: \([0-9]*\).*/\1/p; /^$/,$p' | tr '\n' ' ' |
	    sed 's/  */ /g; s/ $//'
}

# sent - the number of messages at VK.
sent() {
	wc -l <"$vk/messages"
}

# last_call - the last line of VK's list of calls.
last_call() {
	tail -n 1 "$vk/calls"
}
