# host-lighttpd-cgi.sh - vkcb as a CGI program of lighttpd.
. tests/hosts.sh

from_contrib lighttpd-cgi.conf >"$run/vkcb.conf"
lighttpd_server
no_length_is=page
every_answer

done_testing
