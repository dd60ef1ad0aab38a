# api-tls.sh - a token goes only to whom ca_file or the system vouches for.
. tests/lib.sh
. tests/vk.sh
api=https://127.0.0.1:$(free_port)
vk_conf

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
    -keyout "$work/key.pem" -out "$work/cert.pem" -days 2 -subj /CN=test \
    -addext subjectAltName=IP:127.0.0.1 2>"$work/openssl.err"
# It gives back what it gets, line by line and backwards: no answer of VK's, but
# one that only comes where a call was sent.
openssl s_server -accept "${api#https://}" -cert "$work/cert.pem" -rev \
    -key "$work/key.pem" >"$work/server.out" 2>&1 &
ends $!
until_true 10 sh -c "echo | openssl s_client -connect '${api#https://}'"
backwards="HTTP/0.9"

claim "a certificate that nobody vouches for fails the call" \
    same "500 Handler Failed" "$(say привет t1)"
claim "... the log says what to do" \
    has "$work/log" "install ca-certificates, or set ca_file"
claim "... and nothing was sent" lacks "$work/log" "$backwards"
vk_conf "ca_file = $work/cert.pem"
say привет t2 >"$work/out"
claim "with ca_file it is sent" has "$work/log" "$backwards"
sed -i "s,127.0.0.1:,localhost:," "$VKCB_CONF"
: >"$work/log"
claim "a certificate for another name is not taken" \
    same "500 Handler Failed" "$(say привет t3)"
claim "... which the log says" grep -q 'code=-3.*ca_file' "$work/log"
claim "no token is in the log" lacks "$work/log" "$token"

done_testing
