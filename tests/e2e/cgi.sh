# cgi.sh - vkcb as a CGI program.
. tests/lib.sh

cat >"$work/vkcb.conf" <<'END'
[group 219876543]
secret = Kf7vQ2mXw9aLcR4t
confirmation = 7d1a2b3c
END
export VKCB_CONF="$work/vkcb.conf"

body_of() {
	cgi "$@" | sed '1,/^\r$/d'
}

claim "a confirmation is answered with the string alone" \
    same 7d1a2b3c "$(body_of "$bodies/confirmation.json")"
long=$(seq -s '' 1000)
sed "s/7d1a2b3c/$long/" "$work/vkcb.conf" >"$work/long.conf"
claim "a long confirmation string is answered whole" same "$long" \
    "$(body_of "$bodies/confirmation.json" VKCB_CONF="$work/long.conf")"
claim "an event is answered ok" \
    same ok "$(body_of "$bodies/message_new.json")"
claim "arguments from a visitor's query are ignored" \
    same "HTTP" "$(env GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=GET \
    "$vkcb" --version 2>"$work/log" | sed -n 's/^Status: 405.*/HTTP/p')"

# An answer, though no file is left to open behind standard error and the log.
sed "1i[vkcb]\\nlog = $work/cgi.log" "$work/vkcb.conf" >"$work/few.conf"
claim "too few files may be open: 503" same "Not Configured" \
    "$(body_of "$bodies/message_new.json" VKCB_CONF="$work/few.conf" \
    prlimit --nofile=4)"
claim "... and the log says why" \
    has "$work/cgi.log" 'msg="cannot serve CGI: Too many open files"'
claim "no library is loaded but libfcgi and json-c" \
    same "libc libfcgi libjson-c " "$(libraries "$vkcb")"

done_testing
