# host-lighttpd-fastcgi.sh - vkcb behind lighttpd, as FastCGI.
. tests/hosts.sh

from_contrib lighttpd-fastcgi.conf >"$run/vkcb.conf"
lighttpd_server
no_length_is=page
every_answer

done_testing
