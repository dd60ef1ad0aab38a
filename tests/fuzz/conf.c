/*
 * conf.c - any text as vkcb.conf. The text is refused with one line, or makes a
 * valid configuration.
 *
 * No file is opened: texts that name a file outside a nonexistent folder are
 * skipped.
 */
#include "conf/conf.h"
#include "conf/ini.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event/catalogue.h"

int LLVMFuzzerTestOneInput(const unsigned char *, size_t);

/* Fuzz entries have their own table of handlers; this one is empty. */
const struct handler handlers[] = { { NULL, NULL } };

#define PATH "/nowhere/at/all/vkcb.conf"

static void
assert_true(bool good)
{
	if (!good)
		abort();
}

static void
read_keys(const struct conf_key *keys, const void *from)
{
	char shown[INI_LINE_MAX * 2];

	for (; keys->name != NULL; keys++) {
		conf_show(keys, from, shown, sizeof(shown));
		assert_true(*shown != '\0');
		assert_true(strpbrk(shown, "\r\n") == NULL);
	}
}

static void
read_group(const struct conf_group *group)
{
	assert_true(group->secret == NULL || *group->secret != '\0');
	assert_true(group->old_secret == NULL || group->secret != NULL);
	read_keys(conf_group_keys, group);
}

static void
read_conf(const struct conf *conf)
{
	size_t i;

	read_keys(conf_keys, conf);
	for (i = 0; i < conf->n_groups; i++) {
		assert_true(conf->groups[i].id >
		    (i > 0 ? conf->groups[i - 1].id : 0));
		assert_true(conf_group(conf, conf->groups[i].id) ==
		    &conf->groups[i]);
		read_group(&conf->groups[i]);
	}
	read_group(&conf->fallback);
	assert_true((conf_group(conf, -1) != NULL) ==
	    (conf->fallback.secret != NULL || conf->fallback.no_secret));
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct conf_refused refused;
	struct conf *conf;

	if (memchr(data, '/', size) != NULL &&
	    (memmem(data, size, "_file", 5) != NULL ||
	    memmem(data, size, "keys", 4) != NULL))
		return 0;
	conf = conf_parse(PATH, (const char *)data, size, &refused);
	if (conf == NULL) {
		assert_true(strncmp(refused.error, PATH ":",
		    sizeof(PATH)) == 0);
		assert_true(strpbrk(refused.error, "\r\n") == NULL);
	} else {
		read_conf(conf);
	}
	conf_free(conf);
	return 0;
}
