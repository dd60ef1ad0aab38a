# api-greet.sh - a handler replies through VK's API, in spite of faults at VK.
. tests/lib.sh
. tests/vk.sh
start_vk
vk_conf 'log_level = info'

claim "the greeting is sent" same "200 ok" "$(say привет e1)"
claim "the greeting is sent once, with its text" \
    grep -q ' И тебе привет!$' "$vk/messages"
claim "the greeting is sent with vkcb's API version" \
    sh -c "tail -n 1 '$vk/calls' | grep -q 'messages.send 0 .* v=5.199'"
claim "the log has the time spent on calls" \
    grep -Eq 'handler=talk outcome=ok ms=[0-9.]+ calls=1 vk_ms=[0-9.]+$' \
    "$work/log"
say привет e1 >/dev/null
claim "a repeated event calls VK again" \
    same 2 "$(grep -c messages.send "$vk/calls")"
claim "a repeated event sends no second message" same 1 "$(sent)"
say привет e2 >/dev/null
claim "another event sends another message" same 2 "$(sent)"
claim "no random_id is 0" lacks "$vk/messages" " 0 "
say привет "" >/dev/null
say привет "" >/dev/null
claim "an event without an id is identified by its content" same 3 "$(sent)"

for fault in status:500 cut: short: drop: error:6 error:10; do
	before=$(sent)
	vk_control fault kind="${fault%:*}" n="${fault#*:}"
	claim "a temporary ${fault%:} is retried" \
	    same "200 ok" "$(say привет "f$fault")"
	claim "one message is sent in spite of ${fault%:}" \
	    same $((before + 1)) "$(sent)"
done

for fault in status:301 status:404 status:429 garbage: empty: object: \
    nocode:; do
	before=$(wc -l <"$vk/calls")
	vk_control fault kind="${fault%:*}" n="${fault#*:}"
	claim "a response that is not VK's (${fault%:}) fails the event" \
	    same "500 Handler Failed" "$(say привет "n$fault")"
	claim "a response that is not VK's (${fault%:}) is not retried" \
	    same $((before + 1)) \
	    "$(wc -l <"$vk/calls")"
done

vk_control reset
vk_control fault kind=error n=10 count=100
claim "a lasting error fails the event: VK repeats it" \
    same "500 Handler Failed" "$(say привет g1)"
claim "the log has the code and the text of a lasting error" \
    grep -q 'call to VK failed.* code=10 error="Forced by the test" tries=' \
    "$work/log"
vk_control reset
claim "the repeat is answered ok" same "200 ok" "$(say привет g1)"
vk_control fault kind=huge
claim "a response of 10 MiB fails the event" \
    same "500 Handler Failed" "$(say привет g2)"
claim "the log names the limit of a response" \
    has "$work/log" "the answer is over 4 MiB"
for code in 901 100 914 7; do
	vk_control fault kind=error n=$code
	claim "VK's lasting error $code is not retried" \
	    same "200 ok" "$(say привет "h$code")"
	claim "VK's lasting error $code is in the log" \
	    has "$work/log" "code=$code error=\"Forced by the test\""
done
claim "the log says that a handler gave up" \
    has "$work/log" "outcome=give_up"

vk_conf 'api_timeout = 400ms'
vk_control fault kind=slow n=5000 count=20
claim "a slow response ends at api_timeout" \
    same "500 Handler Failed" "$(say привет i1)"
claim "the log says that a slow response timed out" \
    grep -Eqi 'code=-3 error="[^"]*timed out' \
    "$work/log"
vk_control reset
port=$(free_port)
sed "s,^api_url.*,api_url = http://127.0.0.1:$port/," "$VKCB_CONF" \
    >"$work/nobody.conf"
chmod 600 "$work/nobody.conf"
VKCB_CONF=$work/nobody.conf
claim "a refused connection fails the event" \
    same "500 Handler Failed" "$(say привет i2)"
vk_conf
sed '/^token/d' "$VKCB_CONF" >"$work/notoken.conf"
VKCB_CONF=$work/notoken.conf
claim "a group without a token: the event is given up" \
    same "200 ok" "$(say привет i3)"
claim "the log says how to add a token" \
    grep -q 'level=error .*no token for this group.*add `token' "$work/log"
vk_conf
sed "s/^token.*/token = vk1.a.another-token/" "$VKCB_CONF" >"$work/bad.conf"
VKCB_CONF=$work/bad.conf
claim "an invalid token: the event is given up" \
    same "200 ok" "$(say привет i4)"
claim "the log has advice on an invalid token" \
    grep -q 'code=5 .*advice="the token is not valid' "$work/log"

vk_conf
for url in http://api.vk.ru/method/ http://127.0.0.1.example.com/ \
    http://127.0.0.1@example.com/ ftp://localhost/; do
	sed "s,^api_url.*,api_url = $url," "$VKCB_CONF" >"$work/url.conf"
	claim "api_url = $url is refused" sh -c "! VKCB_CONF='$work/url.conf' \
	    '$vkcb' check >'$work/out' 2>&1 && grep -q api_url '$work/out'"
done
claim "check says that libcurl was found" \
    sh -c "'$vkcb' check | grep -q '^libcurl: found (8\|^libcurl: found (7'"

mkdir "$work/lib"
echo no library >"$work/lib/libcurl.so.4"
cp "$work/lib/libcurl.so.4" "$work/lib/libcurl-gnutls.so.4"
export LD_LIBRARY_PATH="$work/lib"
claim "check says what to install without libcurl" \
    sh -c "'$vkcb' check | grep -q '^libcurl: missing.*install libcurl4'"
claim "events are handled without libcurl" same "200 ok" "$(say ничего j1)"
claim "a call is given up without libcurl" same "200 ok" "$(say привет j2)"
claim "the log says what to install without libcurl" \
    grep -q 'id=j2.*code=-2 error=.libcurl: .*install libcurl4' "$work/log"
unset LD_LIBRARY_PATH

ldd "$vkcb" >"$work/linked"
claim "libcurl is not linked" lacks "$work/linked" curl
message "ничего" >"$work/body"
strace -f -e trace=openat -o "$work/trace" env GATEWAY_INTERFACE=CGI/1.1 \
    REQUEST_METHOD=POST CONTENT_LENGTH="$(stat -c %s "$work/body")" "$vkcb" \
    <"$work/body" >"$work/answer" 2>&1
claim "a request that calls nothing loads json-c" has "$work/trace" libjson-c
claim "a request that calls nothing does not load libcurl" \
    lacks "$work/trace" curl
message привет >"$work/body"
claim "a request that calls loads libcurl" sh -c "strace -f \
    -e trace=openat,execve -s 100000 -o '$work/trace' env \
    GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=POST \
    CONTENT_LENGTH=$(stat -c %s "$work/body") '$vkcb' \
    <'$work/body' >/dev/null 2>&1; grep -q libcurl '$work/trace'"
claim "no parameter and no token is in a URL" lacks "$vk/calls" "- "
"$vkcb" check >"$work/check.out" 2>&1
cat "$work/log" "$work/check.out" "$work/trace" "$work"/state/* "$vk"/* \
    >"$work/everything"
claim "no token is in any log, output or shared file" \
    lacks "$work/everything" "$token" another-token
claim "no secret is in any log, output or shared file" \
    lacks "$work/everything" Kf7vQ2mXw9aLcR4t
claim "the name of the shared file does not hold the token" \
    sh -c "ls '$work/state' | grep -Eqx 'rate-[0-9a-f]{16}'"

done_testing
