# api-calls.sh - what handlers ask of VK arrives there as VK wants it.
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
claim "... both, with different random_id" \
    same 2 "$(cut -d ' ' -f 2 "$vk/messages" | sort -u | wc -l)"
say twice >/dev/null
claim "... and none a second time" same 2 "$(sent)"

# 20,800 units of UTF-16, each word six and a space.
claim "a long text is sent in parts" same "200 ok" "$(say long)"
claim "... three of them" same 5 "$(sent)"
claim "... cut between words, none lost" same 2600 "$(sed 1,2d \
    "$vk/messages" | cut -d ' ' -f 3- | tr ' ' '\n' | grep -c '^[0-9]*🚀$')"

claim "a text whose first half is blank is sent" same "200 ok" "$(say blank)"
claim "... without that half" same "behind it" \
    "$(tail -n 1 "$vk/messages" | cut -d ' ' -f 3-)"

say numbered >/dev/null
say numbered >/dev/null
claim "a handler's own random_id of 0 counts as none" \
    same 1 "$(grep -c ' a 0$' "$vk/messages")"
claim "... another one is left as it is" \
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
claim "... its result comes back" has "$work/log" 'script={\"a\":[1,2]}'
vk_control fault kind=inside
claim "a script in which calls fail is no failed call" \
    same "200 ok" "$(say script scripted)"
claim "... but the log has the first of them" has "$work/log" \
    'method=execute failed=2 first=messages.send code=901 error="No permission"'
say name >/dev/null
claim "a response is there for the handler" has "$work/log" 'name=Анна'
cgi "$bodies/message_event.json" >/dev/null
call_is "a callback button is answered by its own id" \
    '^messages.sendMessageEventAnswer 0 .*event_id=a5f6c1d2e3b4 .*event_data=\{"type":"show_snackbar","text":"Корзина пуста"\}'
cgi "$bodies/message_event.json" >"$work/again"
claim "... a second answer is VK's to refuse, once" has "$work/again" "200 OK"
call_is "... which it does" '^messages.sendMessageEventAnswer 100 '

say odd >"$work/odd"
claim "a call that VK does not know ends with its code and words" \
    has "$work/log" 'unknown: 3 Unknown method passed'
claim "... parameters of all kinds arrive as they were" grep -qF \
    'no.such 3 0 a&b=c=d e\n%+ flag=1 number=1.5 empty= big=-9223372036854775808 v=5.199' \
    "$vk/calls"
claim "a stored procedure is called" has "$vk/calls" "execute.proc_1 "
claim "a method's name that is none is not called" \
    has "$work/log" "bad name: -6"
claim "parameters that are not there are not sent, but told of" \
    has "$work/log" "no params: -6 params is NULL: write VK_NO_PARAMS"
claim "... and the handler goes on" same "200 ok" "$(cat "$work/odd")"
claim "who forbids messages gets none, and the event is done" \
    same "200 ok" "$(say forbidden)"
claim "an empty message is VK's to refuse, once" \
    same "200 ok" "$(say nothing)"
claim "no text at all is as one that is empty" same "200 ok" "$(say null)"

claim "a keyboard that is NULL is not repeated for ever" \
    same "200 ok" "$(say "no keyboard")"
claim "... the log says what to write" grep -q \
    ' error .*the keyboard is NULL: write VK_NO_KEYBOARD.* advice="fix' \
    "$work/log"
claim "... nor is a payload" same "200 ok" "$(say "no payload")"
claim "... of which it says the same" \
    has "$work/log" "payload is NULL: write VK_NO_PARAMS for none"

before=$(wc -l <"$vk/connections")
claim "a child of a process calls too" same "200 ok" "$(say fork)"
claim "... over a connection of its own, and the parent's lives on" \
    same $((before + 2)) "$(wc -l <"$vk/connections")"
claim "... all messages are sent" \
    has "$vk/messages" "after"
claim "no call was without its parameters in the body" lacks "$vk/calls" "- "
claim "no token is in the log" lacks "$work/log" "$token"

done_testing
