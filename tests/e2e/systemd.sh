# systemd.sh - the units of contrib/, as systemd reads them.
. tests/lib.sh

for unit in contrib/*.service contrib/*.socket; do
	sed "s|/usr/local/bin/vkcb|$vkcb|" "$unit" >"$work/${unit#contrib/}"
done

# verifies UNIT - systemd accepts the unit without a message; a misspelt key
# gives a message but status 0.
verifies() {
	SYSTEMD_UNIT_PATH="$work:" systemd-analyze verify --man=no \
	    "$work/$1" >"$work/said" 2>&1 && [ ! -s "$work/said" ] && return
	cat "$work/said"
	return 1
}
claim "vkcb-work.service" verifies vkcb-work.service
claim "vkcb.socket and its service" verifies vkcb.socket
claim "vkcb@.service" verifies vkcb@1.service

done_testing
