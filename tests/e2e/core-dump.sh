# core-dump.sh - a handler that crashes leaves no secret in a core dump.
. tests/lib.sh
. tests/vk.sh
if sanitized "$vkcb"; then
	skip "a sanitizer's shadow memory would fill the disk" 16
	done_testing
fi
start_vk

# Secrets from all sources; the token is read last.
printf 'SecretOfTheFile11111111\n' >"$work/secret"
printf 'vk1.a.TokenOfTheFile22222222\n' >"$work/token"
cat >"$work/keys" <<END
[group 2]
secret = SecretOfTheKeys33333333
confirmation = 693d0ba9
END
cat >"$work/vkcb.conf" <<END
[vkcb]
api_url = $api/method/
state = $work/state
keys = $work/keys
[group 1]
secret_file = $work/secret
[group 2]
token_file = $work/token
[group 219876543]
old_secret = OldSecret44444444
secret = Kf7vQ2mXw9aLcR4t
token = $token
END
chmod 600 "$work/vkcb.conf"
export VKCB_CONF="$work/vkcb.conf"

message "stop here" >"$work/body"

as_cgi() {
	env GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=POST \
	    CONTENT_LENGTH="$(stat -c %s "$work/body")" \
	    "$O/tests/tool/dump" "$work/core" "$vkcb" <"$work/body" \
	    2>>"$work/log"
}

as_fastcgi() {
	spawn-fcgi -n -s "$work/socket" -- "$root/$O/tests/tool/dump" \
	    "$work/core" "$vkcb" 2>>"$work/log" &
	dumping=$!
	ends $dumping
	until_true 10 test -S "$work/socket" &&
	    "$O/tests/tool/fcgi" "$work/socket" post "$work/body" &&
	    gone $dumping && wait $dumping
}

for host in cgi fastcgi; do
	rm -f "$work/core"
	claim "$host: a process dumps core in its handler" as_$host
	claim "$host: the core dump has the event" \
	    grep -qa "stop here" "$work/core"
	for hidden in SecretOfTheFile1 vk1.a.TokenOfTheFile SecretOfTheKeys3 \
	    OldSecret4 Kf7vQ2mXw9aLcR4t "$token"; do
		claim "$host: the core dump lacks $hidden" \
		    lacks "$work/core" "$hidden"
	done
done

done_testing
