# api-tls.sh - a token is sent only to a server trusted by ca_file or the system.
. tests/lib.sh
. tests/vk.sh
start_vk
behind=${api#http://127.0.0.1:}
port=$(free_port)
api=https://127.0.0.1:$port
vk_conf

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
    -keyout "$work/key.pem" -out "$work/cert.pem" -days 2 -subj /CN=test \
    -addext subjectAltName=IP:127.0.0.1 2>"$work/openssl.err"
cat >"$work/lighttpd.conf" <<END
server.document-root = "$vk"
server.bind = "127.0.0.1"
server.port = $port
server.errorlog = "$work/lighttpd.log"
server.modules = ( "mod_openssl", "mod_proxy" )
ssl.engine = "enable"
ssl.pemfile = "$work/cert.pem"
ssl.privkey = "$work/key.pem"
proxy.server = ( "" => (( "host" => "127.0.0.1", "port" => $behind )) )
END
lighttpd -D -f "$work/lighttpd.conf" 2>"$work/lighttpd.err" &
ends $!
until_true 10 sh -c "echo | openssl s_client -connect '127.0.0.1:$port'"

claim "an untrusted certificate fails the call" \
    same "500 Handler Failed" "$(say привет t1)"
claim "the log has advice on an untrusted certificate" \
    has "$work/log" "install ca-certificates, or set ca_file"
claim "nothing is sent to an untrusted server" same 0 "$(sent)"
vk_conf "ca_file = $work/cert.pem"
claim "a certificate trusted by ca_file is accepted" \
    same "200 ok" "$(say привет t2)"
claim "the message is sent with ca_file" same 1 "$(sent)"
sed -i "s,127.0.0.1:,localhost:," "$VKCB_CONF"
: >"$work/log"
claim "a certificate for another name fails the call" \
    same "500 Handler Failed" "$(say привет t3)"
claim "the log names ca_file for a certificate of another name" \
    grep -q 'code=-3.*ca_file' "$work/log"

# The same name, a day too old.
echo subjectAltName=IP:127.0.0.1 >"$work/names"
openssl x509 -in "$work/cert.pem" -signkey "$work/key.pem" -days -1 \
    -extfile "$work/names" -out "$work/old.pem" 2>>"$work/openssl.err"
old_port=$(free_port)
sed -e "s,cert.pem,old.pem," -e "s,= $port,= $old_port," \
    "$work/lighttpd.conf" >"$work/old.conf"
lighttpd -D -f "$work/old.conf" 2>"$work/lighttpd.err" &
ends $!
until_true 10 sh -c "echo | openssl s_client -connect '127.0.0.1:$old_port'"
vk_conf "ca_file = $work/old.pem"
sed -i "s,:$port/,:$old_port/," "$VKCB_CONF"
: >"$work/log"
claim "an expired certificate fails the call" \
    same "500 Handler Failed" "$(say привет t4)"
claim "the log says so" grep -q "code=-3.*expired" "$work/log"
claim "nothing more was sent" same 1 "$(sent)"

vk_conf "ca_file = $work/cert.pem" "keys = $work/keys"
sed -i "s,^api_url.*,api_url = http://127.0.0.1:$behind/method/," "$VKCB_CONF"
api=http://127.0.0.1:$behind
vk_control server group=219876543 title=x secret=Kf7vQ2mXw9aLcR4t status=ok \
    url="https://localhost:$port/"
"$vkcb" check --online >"$work/out"
claim "ca_file does not apply to the certificate of our own URL" \
    has "$work/out" "VK may not trust it either"
claim "no advice on ca_file is given for our own URL" \
    lacks "$work/out" "set ca_file"
claim "no token is in the log" lacks "$work/log" "$token"

done_testing
