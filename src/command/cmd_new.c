/*
 * cmd_new.c - `vkcb new`: writes a handler that compiles.
 *
 * An existing file is never touched.
 */
#include "command/command.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "event/catalogue.h"
#include "event/handler_table.h"

#include "banned.h"

#define FIELDS_SHOWN 8

static int new(int, char **);

const struct command command_new = {
	.name = "new",
	.args = "NAME EVENT",
	.summary = "writes handlers/NAME.c, a handler that compiles",
	.help = "EVENT is one that `vkcb events` lists, or `any`.\n",
	.run = new,
};

static bool
is_name(const char *name)
{
	size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return len > 0 && name[len] == '\0' && len <= HANDLER_NAME_MAX &&
	    *name != '-';
}

static void
write_field(FILE *out, const char *object, const char *within,
    const struct field *field)
{
	fprintf(out, " *	%s%s%s->%s: %s\n", object, *within != '\0' ?
	    "->" : "", within, field->name, field->text);
}

/* The first fields say what the object is: objects.def is in that order. */
static void
write_fields(FILE *out, const struct object_type *type, const char *within)
{
	const struct field *field;
	int shown = 0;

	for (field = type->fields; field->name != NULL; field++)
		if (field->kind == FIELD_OBJ && *within == '\0' &&
		    field == type->fields)
			write_fields(out, object_type(field->object),
			    field->name);
		else if (shown++ < FIELDS_SHOWN)
			write_field(out, "object", within, field);
}

static void
write_handler(FILE *out, const char *name, const char *symbol,
    const struct event_info *info)
{
	const char *event = info != NULL ? info->name : "any";

	fprintf(out, "/*\n * %s.c - what this handler does.\n", name);
	if (info != NULL && info->object != NULL) {
		fprintf(out, " *\n * Of what `vkcb events %s` lists:\n *\n",
		    event);
		write_fields(out, object_type(info->object), "");
	}
	fprintf(out, " */\n#include \"vkcb.h\"\n\nstatic enum vkcb_outcome\n");
	if (info == NULL)
		fprintf(out, "on_%s(struct vkcb_event *ev)\n", symbol);
	else if (info->object == NULL)
		fprintf(out, "on_%s(struct vkcb_event *ev, struct json_object "
		    "*object)\n", symbol);
	else
		fprintf(out, "on_%s(struct vkcb_event *ev, const struct vk_%s "
		    "*object)\n", symbol, info->object);
	fprintf(out, "{\n");
	if (info != NULL)
		fprintf(out, "	(void)object;\n");
	fprintf(out, "	vkcb_log(ev, \"%%s came\", ev->type);\n"
	    "	return VKCB_OK;\n}\n\n"
	    "const struct vkcb_handler handler_%s = {\n"
	    "	ON(%s, on_%s),\n"
	    "	.summary = \"what this handler does\",\n};\n",
	    symbol, event, symbol);
}

/* Do two names make one handler, by - and _? */
static bool
clashes(const char *one, const char *other, size_t other_len)
{
	size_t i;

	if (strlen(one) != other_len)
		return false;
	for (i = 0; i < other_len; i++)
		if (one[i] != other[i] && (strchr("-_", one[i]) == NULL ||
		    strchr("-_", other[i]) == NULL))
			return false;
	return true;
}

/* Make would refuse another file of the same handler: it is said here. */
static int
look_for_clash(const char *name)
{
	DIR *folder = opendir("handlers");
	const struct dirent *entry;
	int status = EXIT_OK;
	size_t len;

	while (status == EXIT_OK && folder != NULL &&
	    (entry = readdir(folder)) != NULL) {
		len = strlen(entry->d_name);
		if (len > 2 && strcmp(entry->d_name + len - 2, ".c") == 0 &&
		    clashes(name, entry->d_name, len - 2) &&
		    strncmp(name, entry->d_name, len - 2) != 0)
			status = report_fail(name, "handlers/%s is there, "
			    "and - and _ are the same: take another name",
			    entry->d_name);
	}
	if (folder != NULL)
		closedir(folder);
	return status;
}

static int
write_file(const char *path, const char *name, const struct event_info *info)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	char symbol[HANDLER_NAME_MAX + 1];
	FILE *out;
	char *dash;

	if (fd == -1 && errno == ENOENT)
		return report_fail(path, "there is no folder handlers here: "
		    "run this in vkcb's own folder");
	if (fd == -1)
		return report_fail(path, "%s", strerror(errno));
	out = fdopen(fd, "w");
	if (out == NULL) {
		close(fd);
		return report_fail(path, "%s", strerror(errno));
	}
	snprintf(symbol, sizeof(symbol), "%s", name);
	while ((dash = strchr(symbol, '-')) != NULL)
		*dash = '_';
	write_handler(out, name, symbol, info);
	if (fclose(out) != 0)
		return report_fail(path, "%s", strerror(errno));
	printf("wrote %s: now edit it, then run make\n", path);
	return EXIT_OK;
}

static int
new(int argc, char **argv)
{
	const struct event_info *info = NULL;
	char path[HANDLER_NAME_MAX + 16];

	if (argc != 3)
		return command_misused(&command_new, "give a name and an "
		    "event");
	if (!is_name(argv[1]))
		return command_misused(&command_new, "%s: a name has up to %d "
		    "letters, digits, - and _", argv[1], HANDLER_NAME_MAX);
	if (strcmp(argv[2], "any") != 0) {
		info = command_event(argv[2]);
		if (info == NULL)
			return EXIT_ERROR;
		if (!info->has_handlers)
			return report_fail(argv[2], "vkcb answers it itself, "
			    "no handler gets it");
	}
	if (look_for_clash(argv[1]) != EXIT_OK)
		return EXIT_ERROR;
	snprintf(path, sizeof(path), "handlers/%s.c", argv[1]);
	return write_file(path, argv[1], info);
}
