/*
 * trigger.c - any text as a saved body for `vkcb trigger`, and any changes of
 * it: a line for each, then an empty line, then the file.
 *
 * A body that is taken is valid JSON after all changes.
 */
#include "command/command.h"
#include "json/check.h"
#include "json/tree.h"

/* Each refusal would print a line. */
#undef report_fail
#define report_fail(...) EXIT_ERROR

#include "src/command/cmd_trigger.c"

int LLVMFuzzerInitialize(int *, char ***);
int LLVMFuzzerTestOneInput(const unsigned char *, size_t);

#define CHANGES_MAX 16

static struct conf *conf;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char text[] = "[group 219876543]\n"
	    "secret = Kf7vQ2mXw9aLcR4t\nconfirmation = 7d1a2b3c\n";
	struct conf_refused refused;

	(void)argc;
	(void)argv;
	conf = conf_parse("/nowhere/vkcb.conf", text, sizeof(text) - 1,
	    &refused);
	if (conf == NULL)
		abort();
	return 0;
}

static void
assert_json(const char *text)
{
	size_t len = strlen(text), where;
	char *bytes = strdup(text);
	const char *wrong;

	if (bytes == NULL)
		abort();
	wrong = json_check(bytes, len, NULL, 0, &where);
	if (wrong != NULL && strcmp(wrong, "nested too deep") != 0)
		abort();
	free(bytes);
}

static void
run(struct trigger *trigger, char **changes, int n)
{
	char error[JSON_EDIT_ERROR_MAX];
	int i;

	for (i = 0; i < n; i++) {
		error[0] = '\0';
		if (json_edit_check(changes[i], error) == -1 &&
		    (error[0] == '\0' || strchr(error, '\n') != NULL))
			abort();
	}
	if (trigger_make_body(trigger, changes, n) == EXIT_OK) {
		assert_json(trigger_text(trigger, 1));
		if (!json_object_is_type(trigger->body, json_type_object))
			abort();
	}
	json_object_put(trigger->body);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	int fd = memfd_create("body", MFD_CLOEXEC), n = 0;
	struct trigger trigger = { .conf = conf, .count = 1 };
	char *text = strndup((const char *)data, size), *at = text, *end;
	char path[64], *changes[CHANGES_MAX];

	if (text == NULL || fd == -1)
		abort();
	for (; *at != '\0' && *at != '\n' && n < CHANGES_MAX &&
	    (end = strchr(at, '\n')) != NULL; at = end + 1) {
		*end = '\0';
		changes[n++] = at;
	}
	at += *at == '\n';
	if (write(fd, data + (at - text), size - (size_t)(at - text)) == -1)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	trigger.file = path;
	trigger.print = size % 2 == 0;
	run(&trigger, changes, n);
	free(text);
	close(fd);
	return 0;
}
