# make-install.sh - `make install` and `make uninstall`, into a folder whose name
# has a space.
. tests/lib.sh

dest="$work/a place"
to=$dest/opt/vk
make() {
	command make --no-print-directory "$@" O="$O" DESTDIR="$dest" \
	    PREFIX=/opt/vk
}

claim "it installs" make install
claim "the binary runs" "$to/bin/vkcb" --version
for page in man1/vkcb.1 man5/vkcb.conf.5 man7/vkcb-handler.7; do
	claim "$page is there" cmp "docs/${page#*/}" "$to/share/man/$page"
done
claim "a handler compiles with the installed headers alone" \
    cc -fsyntax-only -I "$to/include/vkcb" -I /usr/include/json-c \
    tests/talk/talk.c
cat >"$work/test.c" <<'END'
#include "vkcb_test.h"

extern const struct vkcb_handler handler_talk;

int
main(void)
{
	struct vkcb_test *t = vkcb_test_new();

	return VKCB_TEST_EVENT(t, &handler_talk,
	    "object.message.text=read") != VKCB_OK || vkcb_test_calls(t) != 1;
}
END
its_test() {
	cc -o "$work/test" -I "$to/include/vkcb" "$work/test.c" \
	    tests/talk/talk.c -L "$to/lib" -lvkcb -ljson-c -linih -lfcgi -ldl &&
	    "$work/test"
}
claim "so does a test of one, and it passes" its_test
for example in apache-fcgid.conf apache-cgi.conf htaccess nginx.conf \
    lighttpd-fastcgi.conf lighttpd-cgi.conf vkcb.socket vkcb@.service; do
	claim "$example is among the examples" \
	    test -s "$to/share/doc/vkcb/contrib/$example"
done
claim "they name the binary where it was installed" has \
    "$to/share/doc/vkcb/contrib/nginx.conf" /opt/vk/bin/vkcb
cat "$to/share/doc/vkcb/contrib"/* >"$work/examples"
claim "nothing is named where it was not" lacks "$work/examples" \
    /usr/local/bin/vkcb
claim "everybody may read it" \
    same "" "$(find "$to" -type f ! -perm -444 -o -type d ! -perm -555)"

# Relinked from a copy of what is built.
cp -a "$O" "$work/build"
claim "STATIC=1 builds" \
    command make -s O="$work/build" STATIC=1 "$work/build/vkcb"
claim "it needs no library but libc" same "libc " "$(libraries "$work/build/vkcb")"
claim "and works" env VKCB_CONF="$root/vkcb.conf" "$work/build/vkcb" check

claim "it uninstalls" make uninstall
claim "no file stays" same "" "$(find "$dest" -type f)"

done_testing
