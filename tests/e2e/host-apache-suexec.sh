# host-apache-suexec.sh - shared hosting: Apache's suexec runs vkcb.cgi as the
# site's owner, by .htaccess. suexec takes programs below its own folder alone.
. tests/hosts.sh

suexec=/usr/lib/apache2/suexec
user=nobody
folder=$([ ! -x $suexec ] || $suexec -V 2>&1 |
    sed -n 's/^ -D AP_DOC_ROOT="\(.*\)"$/\1/p')
if [ "$(id -u)" != 0 ]; then
	skip "suexec takes root" 11
	done_testing
elif [ ! -d "$folder" ]; then
	skip "no suexec (apache2-suexec-pristine), or not its folder" 11
	done_testing
fi
site=$(mktemp -d "$folder/vkcb-test.XXXXXX")
leave() {
	status=$?
	until_true 10 "$root/$O/tests/tool/byte-lock" "$inbox-lock" 0 true
	rm -rf "$site"
	(exit $status)
	clean_up
}
trap leave EXIT
group_of_user=$(id -gn $user)
log=$site/vkcb.log
inbox=$site/vkcb.inbox
book=$site/vkcb.book

configure "inbox = $inbox"
cp "$app" "$site/vkcb.cgi"
cp "$work/app/vkcb.conf" "$site/vkcb.conf"
cp contrib/htaccess "$site/.htaccess"
chmod 755 "$site"
chmod 600 "$site/vkcb.conf"
chown -R "$user:$group_of_user" "$site"
cat >"$run/vkcb.conf" <<END
SuexecUserGroup $user $group_of_user
DocumentRoot $site
<Directory $site>
	AllowOverride FileInfo Options
	Require all granted
</Directory>
END
apache suexec cgid mime env
url=http://127.0.0.1:$port/vkcb.cgi

# is_of_user FILE ...
is_of_user() {
	for file; do
		same "$user" "$(stat -c %U "$file")" || return 1
	done
}

# task ID - an event for tests/handlers/task.c, as a file; prints its name.
task() {
	printf '{"type":"test_task","group_id":%s,"event_id":"%s",%s}' \
	    "$group" "$1" "\"secret\":\"$secret\",\"object\":{\"book\":\
\"$book\",\"peer_id\":1,\"seq\":1,\"do\":\"ok\"}" >"$work/task"
	echo "$work/task"
}

claim "a confirmation, with a vkcb.conf for its owner alone" \
    gets "$bodies/confirmation.json" 200 7d1a2b3c
claim "vkcb.conf is not served" same 404 "$(curl -s -o "$work/page" \
    -w '%{http_code}' "http://127.0.0.1:$port/vkcb.conf")"
claim "an event is answered ok" gets "$(task s-1)" 200 ok
claim "it is handled" until_true 20 grep -q '^end 1 1 1' "$book"
claim "inbox, log and what handlers write are the owner's" \
    is_of_user "$inbox" "$inbox-lock" "$log" "$book"
claim "nobody else may read the inbox" same 600 "$(stat -c %a "$inbox")"

chown root "$inbox"
claim "an inbox of another user: 503" \
    gets "$(task s-2)" 503 "Inbox Unavailable"
claim "the log says whose it is, and what to do" \
    has "$log" "it belongs to root, not to $user: chown $user"
chown "$user" "$inbox"
claim "mended: ok" gets "$(task s-2)" 200 ok
chown root "$site/vkcb.conf"
claim "a vkcb.conf of another user: 503" \
    gets "$bodies/confirmation.json" 503 "Not Configured"
claim "Apache's log says why" \
    has "$run/apache.log" "vkcb.conf: Permission denied"

done_testing
