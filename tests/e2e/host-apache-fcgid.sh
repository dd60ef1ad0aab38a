# host-apache-fcgid.sh - vkcb behind Apache's mod_fcgid.
. tests/hosts.sh

from_contrib apache-fcgid.conf >"$run/vkcb.conf"
apache fcgid
no_length_is=empty
every_answer

done_testing
