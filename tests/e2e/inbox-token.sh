# inbox-token.sh - workers that call VK notice a token that was changed, and keep
# VK's reason for a call that failed.
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
claim "... for VK's reason, in the list" sh -c "
	'$vkcb' inbox list | grep -q 'failed: the handler gave up: messages.send: error 5: [A-Z]'"
keeps "$work/token" "$token"
"$vkcb" inbox retry --failed >"$work/retried"
claim "with another one in token_file the same worker sends it" \
    until_true 10 is_sent

vk_control fault kind=error n=901 method=messages.send \
    text="$(printf "Can't send \033[31m to \342\200\256users")"
(say привет e2) >"$work/said"
lists() {
	"$vkcb" inbox list | grep -qF -- "$1"
}
claim "VK's words are listed without what moves a terminal" until_true 10 \
    lists "messages.send: error 901: Can't send \u001b[31m to \u202eusers"
vk_control fault kind=error n=1 text="token $token" count=0
(say привет e3) >"$work/said"
claim "a retry has VK's reason, too, and no token" until_true 20 lists \
    "the handler failed: messages.send: error 1: (an error text with a secret"
drops_last() {
	"$vkcb" inbox drop "$("$vkcb" inbox list | awk 'END { print $1 }')"
}
drops_last	# the next message would wait for it

# Spelled otherwise: in capitals, in hexadecimal, and that again.
hexadecimal=$(printf %s "$token" | od -An -tx1 -v | tr -d '\n' | tr ' ' %)
vk_control reset
for spelled in "$(echo "$token" | tr a-z A-Z)" "$hexadecimal" \
    "$(echo "$hexadecimal" | sed 's/%/%25/g')"; do
	vk_control fault kind=error n=100 text="no $spelled" \
	    method=messages.send
	n=$((${n:-3} + 1))
	(say привет "e$n") >"$work/said"
	claim "VK's words with the token as $spelled are not kept" \
	    until_true 20 lists "gave up: messages.send: error 100: (an error"
	drops_last
done
"$vkcb" inbox list --all --json | cat - "$work/work.log" "$work/inbox" \
    "$work/inbox-wal" "$work/said" >"$work/everything"
claim "neither the log nor the inbox has a spelling of the token" sh -c "
	! grep -aqiF -e '$token' -e '$hexadecimal' '$work/everything'"
done_testing
