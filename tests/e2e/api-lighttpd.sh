# api-lighttpd.sh - calls from behind a web server, over one connection.
. tests/lib.sh
. tests/vk.sh
start_vk
vk_conf "log = $work/vkcb.log"

port=$(free_port)
cat >"$work/lighttpd.conf" <<END
server.document-root = "$work/vk"
server.port = $port
server.bind = "127.0.0.1"
server.errorlog = "$work/lighttpd.log"
server.modules = ("mod_fastcgi")
fastcgi.server = ("/callback" => ((
	"socket" => "$work/socket", "bin-path" => "$vkcb", "max-procs" => 1,
	"check-local" => "disable",
	"bin-environment" => ("VKCB_CONF" => "$VKCB_CONF")
)))
END
/usr/sbin/lighttpd -D -f "$work/lighttpd.conf" 2>"$work/lighttpd.err" &
ends $!
until_true 10 curl -s "http://127.0.0.1:$port/callback"

post() {
	message привет "$1" | curl -s --data-binary @- \
	    "http://127.0.0.1:$port/callback"
}

before=$(wc -l <"$vk/connections")
for i in 1 2 3 4 5; do
	post "l$i" >>"$work/answers"
	post "l$i" >>"$work/answers"
done
claim "ten events are answered" same okokokokokokokokokok \
    "$(cat "$work/answers")"
claim "five messages are sent" same 5 "$(sent)"
claim "the five messages go over one connection" \
    same $((before + 1)) "$(wc -l <"$vk/connections")"
vk_control fault kind=drop
claim "a connection that VK closed is opened again" same ok "$(post l6)"
vk_control fault kind=error n=10 count=100
claim "a lasting error is answered 500" same "Handler Failed" \
    "$(post l7)"
vk_control reset
claim "the repeat after a lasting error is answered ok" same ok "$(post l7)"
claim "no token is in the log" lacks "$work/vkcb.log" "$token"

done_testing
