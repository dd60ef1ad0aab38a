/*
 * cmd_new.c - `vkcb new`: writes a handler that compiles.
 *
 * An existing file is never touched.
 */
#include "command/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "event/catalogue.h"

#include "banned.h"

#define FIELDS_SHOWN 8

static int cmd_new(int, char **);

const struct command command_new = {
	.name = "new",
	.args = "NAME EVENT",
	.summary = "writes handlers/NAME.c, a handler that compiles",
	.help = "EVENT is one that `vkcb events` lists, or `any`.\n",
	.run = cmd_new,
};

static bool
is_name(const char *name)
{
	size_t len = strspn(name, HANDLER_NAME);

	return len > 0 && name[len] == '\0' && len <= HANDLER_NAME_MAX &&
	    *name != '-';
}

/* The first fields of an object in objects.def tell most about it. */
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
			fprintf(out, " *	object%s%s->%s: %s\n",
			    *within != '\0' ? "->" : "", within, field->name,
			    field->text);
}

static void
write_handler(FILE *out, const char *name, const char *symbol,
    const struct event_info *info)
{
	const char *event = info != NULL ? info->name : "any";

	fprintf(out, "/*\n * %s.c - what this handler does.\n", name);
	if (info != NULL && info->object != NULL) {
		fprintf(out, " *\n * Fields that `vkcb events %s` lists:\n *\n",
		    event);
		write_fields(out, object_type(info->object), "");
	}
	fprintf(out, " */\n#include \"vkcb.h\"\n\nstatic enum vkcb_outcome\n"
	    "on_%s(struct vkcb_event *ev", symbol);
	if (info != NULL && info->object != NULL)
		fprintf(out, ", const struct vk_%s *object", info->object);
	else if (info != NULL)
		fprintf(out, ", const struct vk_json *object");
	fprintf(out, ")\n{\n%s"
	    "	vkcb_log(ev, \"%%s came\", ev->type);\n"
	    "	return VKCB_OK;\n}\n\n"
	    "const struct vkcb_handler handler_%s = {\n"
	    "	ON(%s, on_%s),\n"
	    "	.summary = \"what this handler does\",\n};\n",
	    info != NULL ? "	(void)object;\n" : "", symbol, event, symbol);
}

static int
write_file(const char *path, const char *name, const char *symbol,
    const struct event_info *info)
{
	FILE *out = fopen(path, "wxe");

	if (out == NULL && errno == ENOENT)
		return report_fail(path, "there is no folder handlers here: "
		    "run this in vkcb's own folder");
	if (out == NULL)
		return report_fail(path, "%s", strerror(errno));
	write_handler(out, name, symbol, info);
	if (fclose(out) != 0)
		return report_fail(path, "%s", strerror(errno));
	printf("wrote %s: now edit it, then run make\n", path);
	return EXIT_OK;
}

static int
cmd_new(int argc, char **argv)
{
	char path[HANDLER_NAME_MAX + 16], symbol[HANDLER_NAME_MAX + 1];
	const struct event_info *info = NULL;
	char *dash;

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
	snprintf(symbol, sizeof(symbol), "%s", argv[1]);
	while ((dash = strchr(symbol, '-')) != NULL)
		*dash = '_';
	snprintf(path, sizeof(path), "handlers/%s.c", argv[1]);
	return write_file(path, argv[1], symbol, info);
}
