# fifo.sh - a FIFO in place of a file keeps no process waiting.
. tests/lib.sh
. tests/vk.sh
start_vk

fifo=$work/fifo
mkfifo "$fifo"
body=$bodies/message_new.json
sed 's/"secret": *"[^"]*"/"secret":"Kf7vQ2mXw9aLcR4t"/' "$body" >"$work/body"

# answers WANTED - a CGI request is answered so within 10 seconds.
answers() {
	GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=POST \
	    CONTENT_LENGTH="$(stat -c %s "$work/body")" timeout -k 1 10 "$vkcb" \
	    <"$work/body" >"$work/answer" 2>"$work/said"
	same "$1" "$(sed -n '$p' "$work/answer")"
}

# fails_with TEXT COMMAND ... - the command ends with 1 within 10 seconds.
fails_with() {
	fails_text=$1
	shift
	timeout -k 1 10 "$@" >"$work/said" 2>&1
	same 1 $? && has "$work/said" "$fails_text"
}

vk_conf "log = $fifo"
claim "a log that nobody reads: ok" answers ok
claim "... and the lines go to standard error" has "$work/said" msg=handled
claim "... which says why" has "$work/said" \
    "path=$fifo error=\"no process reads this FIFO\""
claim "... in logfmt" "$root/$O/tests/tool/logfmt" "$work/said"

vk_conf "keys = $fifo"
claim "keys: 503" answers "Not Configured"
claim "check says what keys are" fails_with "no file of keys" "$vkcb" check
vk_conf
sed -i "s|^secret = .*|secret_file = $fifo|" "$VKCB_CONF"
claim "secret_file: 503" answers "Not Configured"
claim "check says what secret_file is" \
    fails_with "cannot read $fifo: no regular file" "$vkcb" check
vk_conf
sed -i "s|^token = .*|token_file = $fifo|" "$VKCB_CONF"
claim "check says what token_file is" \
    fails_with "cannot read $fifo: no regular file" "$vkcb" check
claim "the configuration" \
    fails_with "$fifo: no regular file" env VKCB_CONF="$fifo" "$vkcb" check

vk_conf "ca_file = $fifo"
sed -i "s|^api_url = .*|api_url = https${api#http}/|" "$VKCB_CONF"
message привет >"$work/body"
claim "ca_file: a handler's call fails" answers "Handler Failed"
claim "... and the log says why" \
    has "$work/said" 'error="ca_file is no regular file"'

vk_conf
claim "trigger --file" fails_with "$fifo" "$vkcb" trigger --file "$fifo"
cat "$body" >"$fifo" &
ends $!
claim "trigger --file waits for what a process writes" \
    sh -c "timeout -k 1 10 '$vkcb' trigger --print --file '$fifo' | grep -q message_new"

done_testing
