# api-calls.sh - handlers' calls arrive at VK in VK's format.
. tests/lib.sh
. tests/vk.sh
start_vk
vk_conf

# call_is SENTENCE PATTERN - the last call at VK matches.
call_is() {
	last_call >"$work/last"
	claim "$1" grep -Eq -- "$2" "$work/last"
}

claim "two messages of one handler are sent" same "200 ok" "$(say twice)"
claim "the two messages have different random_ids" \
    same 2 "$(cut -d ' ' -f 2 "$vk/messages" | sort -u | wc -l)"
say twice >/dev/null
claim "the two messages are not sent again" same 2 "$(sent)"

# The text has 20,800 UTF-16 units, in words of six with a space.
claim "a long text is sent in parts" same "200 ok" "$(say long)"
claim "the long text is three messages" same 5 "$(sent)"
claim "the long text is split between words, and none is lost" \
    same 2600 "$(sed 1,2d \
    "$vk/messages" | cut -d ' ' -f 3- | tr ' ' '\n' | grep -c '^[0-9]*🚀$')"

claim "a text whose first half is blank is sent" same "200 ok" "$(say blank)"
claim "the blank half is left out" same "behind it" \
    "$(tail -n 1 "$vk/messages" | cut -d ' ' -f 3-)"

say numbered >/dev/null
say numbered >/dev/null
claim "a handler's own random_id of 0 is replaced" \
    same 1 "$(grep -c ' a 0$' "$vk/messages")"
claim "a handler's own random_id other than 0 is kept" \
    same 1 "$(grep -c ' 7 a 7$' "$vk/messages")"

say reply >/dev/null
call_is "a reply names what it answers" \
    '^messages.send 0 .*forward=\{"peer_id":412345678,"conversation_message_ids":\[97\],"is_reply":1\}'
say edit >/dev/null
call_is "a message is edited" '^messages.edit 0 .*cmid=97 message=иначе'
say read >/dev/null
call_is "a conversation is marked as read" \
    '^messages.markAsRead 0 .*mark_conversation_as_read=1'
say typing >/dev/null
call_is "typing is shown" '^messages.setActivity 0 .*type=typing'
say keyboard >/dev/null
call_is "an inline keyboard has its buttons in rows" \
    'keyboard=\{"inline":true,"buttons":\[\[\{"action":\{"type":"text","label":"Да","payload":"\{\\"cmd\\":\\"yes\\"\}"\},"color":"positive"\},\{"action":\{"type":"callback","label":"Нет",.*"color":"negative"\}\],\[\{"action":\{"type":"open_link","label":"Сайт","link":"https://example.com/"\}\}\]\]\}'
say away >/dev/null
call_is "a keyboard is taken away" 'keyboard=\{"one_time":false,"buttons":\[\]\}'
say script >/dev/null
call_is "a script is run" '^execute 0 .*code=return \{"a":\[1,2\]\};'
claim "the script's result is returned" has "$work/log" 'script={\"a\":[1,2]}'
vk_control fault kind=inside
claim "a script with failed calls is a successful call" \
    same "200 ok" "$(say script scripted)"
claim "the log has the script's first failed call" has "$work/log" \
    'method=execute failed=2 first=messages.send code=901 error="No permission"'
say name >/dev/null
claim "the handler gets VK's response" has "$work/log" 'name=Анна'
cgi "$bodies/message_event.json" >/dev/null
call_is "a callback button is answered by its own id" \
    '^messages.sendMessageEventAnswer 0 .*event_id=a5f6c1d2e3b4 .*event_data=\{"type":"show_snackbar","text":"Корзина пуста"\}'
cgi "$bodies/message_event.json" >"$work/again"
claim "a second answer to a button is refused by VK, once" \
    has "$work/again" "200 OK"
call_is "... which it does" '^messages.sendMessageEventAnswer 100 '

say odd >"$work/odd"
claim "an unknown method ends with VK's code and text" \
    has "$work/log" 'unknown: 3 Unknown method passed'
claim "parameters of all kinds arrive unchanged" grep -qF \
    'no.such 3 0 a&b=c=d e\n%+ flag=1 number=1.5 empty= big=-9223372036854775808 v=5.199' \
    "$vk/calls"
claim "a stored procedure is called" has "$vk/calls" "execute.proc_1 "
claim "an invalid method name is not called" \
    has "$work/log" "bad name: -6"
claim "missing parameters are not sent, and are logged" \
    has "$work/log" "no params: -6 params is NULL: write VK_NO_PARAMS"
claim "the handler continues after a call without parameters" \
    same "200 ok" "$(cat "$work/odd")"
claim "a user who forbids messages gets none, and the event is done" \
    same "200 ok" "$(say forbidden)"
claim "an empty message is refused by VK, once" \
    same "200 ok" "$(say nothing)"
claim "a text of NULL is an empty text" same "200 ok" "$(say null)"

claim "a keyboard of NULL is given up" \
    same "200 ok" "$(say "no keyboard")"
claim "the log says how to send no keyboard" grep -q \
    ' level=error .*the keyboard is NULL: write VK_NO_KEYBOARD.* advice="fix' \
    "$work/log"
claim "a payload of NULL is given up" same "200 ok" "$(say "no payload")"
claim "the log says how to send no payload" \
    has "$work/log" "payload is NULL: write VK_NO_PARAMS for none"

before=$(wc -l <"$vk/connections")
claim "a forked child can make calls" same "200 ok" "$(say fork)"
claim "a forked child has its own connection, and the parent's remains" \
    same $((before + 2)) "$(wc -l <"$vk/connections")"
claim "the messages of parent and child are all sent" \
    has "$vk/messages" "after"
# The name server says nothing for 30 s.
vk_conf "api_timeout = 300ms"
sed -i 's,^api_url.*,api_url = https://vk.test/method/,' "$VKCB_CONF"
message привет >"$work/body"
nameless() {
	nameless_began=$(date +%s)
	cgi "$work/body" \
	    LD_PRELOAD="$root/$O/tests/preload/slow-names.so" \
	    >"$work/nameless" && has "$work/nameless" "500 " &&
	    test $(($(date +%s) - nameless_began)) -lt 20
}
claim "api_timeout ends a call that waits for a name server" nameless
claim "the log has the call that found no name server" \
    has "$work/log" "method=messages.send code=-3"

claim "every call has its parameters in the body" lacks "$vk/calls" "- "
claim "no token is in the log" lacks "$work/log" "$token"

done_testing
