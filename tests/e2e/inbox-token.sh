# inbox-token.sh - workers that call VK notice a token that was changed.
. tests/lib.sh
. tests/vk.sh
start_vk

# keeps FILE TEXT - the file says so, and has said so for long.
keeps() {
	printf '%s\n' "$2" >"$1.new"
	chmod 600 "$1.new"
	touch -d yesterday "$1.new"
	mv "$1.new" "$1"
}

is_working() {
	"$vkcb" status --json | grep -q '"workers":true'
}

parked() {
	"$vkcb" inbox list --failed | grep -q " failed"
}

is_sent() {
	[ "$(sent)" = 1 ]
}

keeps "$work/token" vk1.a.one-that-was-revoked
vk_conf "inbox = $work/inbox"
keeps "$VKCB_CONF" "$(sed "s,^token.*,token_file = $work/token," "$VKCB_CONF")"
"$vkcb" work >"$work/work.log" 2>&1 &
ends $!
until_true 10 is_working
claim "an event is stored" same "200 ok" "$(say привет e1)"
claim "with a token that VK does not know it is parked" until_true 10 parked
keeps "$work/token" "$token"
"$vkcb" inbox retry --failed >"$work/retried"
claim "with another one in token_file the same worker sends it" \
    until_true 10 is_sent

done_testing
