# api-limits.sh - the stand-in refuses what VK refuses; unit/limits has each of
# the limits.
. tests/lib.sh
. tests/vk.sh
start_vk

# asks METHOD [NAME=VALUE ...] - a call; prints VK's answer.
asks() {
	method=$1
	shift
	for pair; do
		set -- "$@" --data-urlencode "$pair"
		shift
	done
	curl -fsS -d v=5.199 -d "access_token=$token" "$@" "$api/method/$method"
}

# refuses CODE WORDS METHOD [NAME=VALUE ...] - the call has this error.
refuses() {
	code=$1
	words=$2
	shift 2
	asks "$@" >"$work/answer"
	claim "$words: $code" sh -c "grep -q '\"error_code\":$code,' '$work/answer' &&
	    grep -qF '$words' '$work/answer'"
}

# keyboard ROW ... - a keyboard of rows of so many buttons.
keyboard() {
	printf '{"buttons":['
	for n; do
		printf '%s[' "${comma-}"
		button='{"action":{"type":"text","label":"A","payload":"{}"}}'
		printf '%s' "$button"
		while [ $((n -= 1)) -gt 0 ]; do
			printf ',%s' "$button"
		done
		printf ']'
		comma=,
	done
	printf ']}'
}

text() {
	head -c "$1" /dev/zero | tr '\0' x
}

to="peer_id=412345678 random_id=1"
# shellcheck disable=SC2086 # words
{
refuses 911 "row 0 contains too much columns" messages.send $to message=x \
    "keyboard=$(keyboard 6)"
refuses 911 "buttons contain too much rows" messages.send $to message=x \
    "keyboard=$(keyboard 1 1 1 1 1 1 1 1 1 1 1)"
refuses 911 "payload should be less" messages.send $to message=x \
    "keyboard=$(keyboard 1 | sed "s/{}/\\\\\"$(text 400)\\\\\"/")"
refuses 911 "label should be less" messages.send $to message=x \
    "keyboard=$(keyboard 1 | sed "s/\"A\"/\"$(text 41)\"/")"
refuses 911 "elements" messages.send $to message=x \
    'template={"type":"carousel","elements":[]}'
refuses 914 "Message is too long" messages.send $to "message=$(text 9001)"
refuses 914 "Message is too long" messages.edit peer_id=412345678 cmid=1 \
    "message=$(text 9001)"
refuses 100 "event_data is invalid" messages.sendMessageEventAnswer user_id=1 \
    peer_id=1 event_id=e event_data='{"type":"show_snackbar","text":""}'
}
claim "no message beyond a limit is sent" same 0 "$(sent)"

asks messages.send peer_ids=1,901000901,2000000001 random_id=7 message=x \
    >"$work/answer"
claim "peers of a list are answered one by one" \
    grep -Eq '"response":\[\{"peer_id":1,"message_id":[0-9]+\},\{"peer_id":901000901,"message_id":0,"error":\{"code":901,.*\{"peer_id":2000000001,"message_id":[0-9]+\}\]' \
    "$work/answer"
claim "the others of a list have the message" same 2 "$(sent)"
asks messages.send peer_ids=1,2 random_id=7 message=x >"$work/answer"
claim "a random_id is seen for each peer" same 3 "$(sent)"
refuses 100 "peer_ids is invalid" messages.send random_id=8 message=x \
    peer_ids=1,x
refuses 100 "peer_ids is invalid" messages.send random_id=8 message=x \
    "peer_ids=$(seq -s , 101)"
claim "a list that is refused has no messages" same 3 "$(sent)"

done_testing
