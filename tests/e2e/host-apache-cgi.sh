# host-apache-cgi.sh - vkcb as a CGI program of Apache's mod_cgid, by its
# configuration and, on shared hosting, by .htaccess.
. tests/hosts.sh

# The hosting's settings: a site's owner may do no more than this.
site=$work/site
mkdir "$site"
cp "$app" "$site/vkcb.cgi"
cp "$work/app/vkcb.conf" "$site/vkcb.conf"
cp "$site/vkcb.conf" "$site/vkcb.conf~"
cp "$root/contrib/htaccess" "$site/.htaccess"
{
	from_contrib apache-cgi.conf
	cat <<END
DocumentRoot $site
<Directory $site>
	AllowOverride FileInfo Options
	Require all granted
</Directory>
END
} >"$run/vkcb.conf"
apache cgid mime env
every_answer

# served PATH STATUS - a visitor gets this status for a file of the site.
served() {
	same "$2" "$(curl -s -o "$work/page" -w '%{http_code}' \
	    --path-as-is "http://127.0.0.1:$port/$1")" &&
	    lacks "$work/page" "$secret"
}

url=http://127.0.0.1:$port/vkcb.cgi
claim "by .htaccess: a confirmation" \
    gets "$bodies/confirmation.json" 200 7d1a2b3c
claim "by .htaccess: an event" gets "$bodies/message_new.json" 200 ok
claim "by .htaccess: vkcb.conf is not served" served vkcb.conf 404
claim "by .htaccess: nor under another spelling" served %76kcb.con%66 404
claim "by .htaccess: nor its copy" served vkcb.conf~ 404
claim "by .htaccess: nor after the program's name" \
    served vkcb.cgi/../vkcb.conf 404
for file in vkcb.keys vkcb.inbox vkcb.inbox-wal vkcb.secret vkcb.cgi~ \
    .vkcb.conf.swp '#vkcb.conf#' '.#vkcb.conf' old-vkcb.conf; do
	echo x >"$site/$file"
	claim "by .htaccess: nor $file" \
	    served "$(echo "$file" | sed 's/#/%23/g')" 404
done

done_testing
