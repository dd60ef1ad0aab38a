# inbox-storm-fastcgi.sh - kill -9 of anything, under load, behind lighttpd as
# FastCGI; workers are started by events.
. tests/inbox.sh

with_inbox "backoff = 20ms" "attempts = 40" "log_level = warning"
from_contrib lighttpd-fastcgi.conf | sed 's/"max-procs" => 2/"max-procs" => 4/' \
    >"$run/vkcb.conf"
lighttpd_server
claim "all events are taken in the end, while 100 processes are killed" \
    storm 100 15
all_is_well

done_testing
