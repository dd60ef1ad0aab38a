# host-nginx.sh - vkcb behind nginx, started by spawn-fcgi.
. tests/hosts.sh

from_contrib nginx.conf >"$run/vkcb.conf"
responders 2
nginx_server
every_answer

done_testing
