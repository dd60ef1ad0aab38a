/*
 * memory.c - a store in memory, for tests of what stands above a store.
 *
 * Slow and plain: it says with loops over lists what the other stores say with
 * indexes. Nothing is durable. Out of memory: -1, and nothing was changed.
 */
#include "inbox/backend.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"

#include "banned.h"

struct task {
	struct inbox_task seen;
	char reason[INBOX_REASON_MAX];
	int worker;		/* that runs it; 0: none */
};

struct entry {
	struct entry *next;	/* by id */
	struct inbox_event event;
	struct task *tasks;
	size_t n;
	char *bytes;		/* holds the event's texts */
};

struct command {
	struct command *next;
	int64_t group_id;
	struct inbox_command command;
};

struct memory {
	struct inbox inbox;	/* first, see memory_of() */
	struct entry *entries;
	struct command *commands;
	int64_t last_id;
	int wakes;		/* an eventfd */
	struct inbox_status counts;	/* of handlers */
};

static struct memory *
memory_of(struct inbox *inbox)
{
	return (struct memory *)(void *)inbox;
}

static int
out_of_memory(struct inbox *inbox)
{
	snprintf(inbox->error, sizeof(inbox->error), "out of memory");
	return -1;
}

static bool
same_event(const struct inbox_event *a, const struct inbox_event *b)
{
	if (a->group_id != b->group_id ||
	    strcmp(a->event_id, b->event_id) != 0)
		return false;
	return *a->event_id != '\0' || (strcmp(a->type, b->type) == 0 &&
	    a->object_len == b->object_len &&
	    memcmp(a->object, b->object, a->object_len) == 0);
}

static const char *
keep(char **at, const char *text, size_t len)
{
	char *kept = *at;

	memcpy(kept, text, len);
	kept[len] = '\0';
	*at += len + 1;
	return kept;
}

static size_t
length(const char *text)
{
	return text != NULL ? strlen(text) : 0;
}

static void
free_entry(struct entry *entry)
{
	if (entry == NULL)
		return;
	free(entry->tasks);
	free(entry->bytes);
	free(entry);
}

static struct entry *
make_entry(const struct inbox_event *event, const struct inbox_target *wanted,
    size_t n)
{
	size_t size = length(event->event_id) + length(event->type) +
	    length(event->version) + length(event->conversation) + event->object_len;
	struct entry *entry = calloc(1, sizeof(*entry));
	size_t i;
	char *at;

	for (i = 0; i < n; i++)
		size += strlen(wanted[i].handler) + 1;
	if (entry == NULL ||
	    (at = entry->bytes = malloc(size + 8)) == NULL ||
	    (entry->tasks = calloc(n + 1, sizeof(*entry->tasks))) == NULL) {
		free_entry(entry);
		return NULL;
	}
	entry->event = *event;
	entry->event.event_id = keep(&at, event->event_id,
	    strlen(event->event_id));
	entry->event.type = keep(&at, event->type, strlen(event->type));
	entry->event.version = keep(&at, event->version,
	    strlen(event->version));
	if (event->conversation != NULL)
		entry->event.conversation = keep(&at, event->conversation,
		    strlen(event->conversation));
	entry->event.object = keep(&at, event->object_len > 0 ?
	    event->object : "", event->object_len);
	entry->n = n;
	for (i = 0; i < n; i++) {
		entry->tasks[i].seen.handler = keep(&at, wanted[i].handler,
		    strlen(wanted[i].handler));
		entry->tasks[i].seen.state = wanted[i].reason != NULL ?
		    INBOX_FAILED : INBOX_WAITING;
		snprintf(entry->tasks[i].reason, INBOX_REASON_MAX, "%s",
		    wanted[i].reason != NULL ? wanted[i].reason : "");
		entry->tasks[i].seen.reason = entry->tasks[i].reason;
	}
	return entry;
}

static int
memory_take_command(struct inbox *inbox, int64_t group_id, struct inbox_command *out)
{
	struct command **at = &memory_of(inbox)->commands, *found;

	*out = (struct inbox_command){ .remove = false };
	for (; (found = *at) != NULL; at = &found->next) {
		if (found->group_id != group_id)
			continue;
		*out = found->command;
		*at = found->next;
		free(found);
		break;
	}
	return 0;
}

static void
count_parked(struct memory *memory, const struct inbox_target *wanted,
    size_t n)
{
	struct inbox_handler_status *handler;
	size_t i;

	for (i = 0; i < n; i++) {
		if (wanted[i].reason == NULL)
			continue;
		handler = inbox_status_handler(&memory->counts,
		    wanted[i].handler);
		if (handler != NULL)
			handler->parked++;
	}
}

static int
memory_put(struct inbox *inbox, const struct inbox_event *event,
    const struct inbox_target *wanted, size_t n, enum inbox_put *put,
    struct inbox_command *command)
{
	struct memory *memory = memory_of(inbox);
	struct entry **at = &memory->entries, *entry;

	for (; *at != NULL; at = &(*at)->next) {
		if (!same_event(&(*at)->event, event))
			continue;
		*put = INBOX_REPEATED;
		return memory_take_command(inbox, event->group_id, command);
	}
	entry = make_entry(event, wanted, n);
	if (entry == NULL)
		return out_of_memory(inbox);
	entry->event.id = ++memory->last_id;
	*at = entry;
	*put = INBOX_STORED;
	count_parked(memory, wanted, n);
	return memory_take_command(inbox, event->group_id, command);
}

static bool
has_state(const struct entry *entry, enum inbox_state state)
{
	size_t i;

	for (i = 0; i < entry->n; i++)
		if (entry->tasks[i].seen.state == state)
			return true;
	return false;
}

static bool
is_open(const struct entry *entry)
{
	return has_state(entry, INBOX_WAITING) ||
	    has_state(entry, INBOX_RUNNING);
}

static bool
is_urgent(const struct entry *entry)
{
	return inbox_is_urgent(entry->event.type);
}

/* Is it the one of its lane whose turn it is? */
static bool
is_head(const struct memory *memory, const struct entry *entry)
{
	const struct entry *other;

	if (has_state(entry, INBOX_RUNNING))
		return false;
	for (other = memory->entries; other != NULL; other = other->next) {
		if (other == entry || !is_open(other) ||
		    entry->event.conversation == NULL || other->event.conversation == NULL ||
		    strcmp(other->event.conversation, entry->event.conversation) != 0)
			continue;
		if (has_state(other, INBOX_RUNNING))
			return false;
		if (is_urgent(other) != is_urgent(entry) ? is_urgent(other) :
		    other->event.id < entry->event.id)
			return false;
	}
	return true;
}

static struct task *
due_task(struct entry *entry, int64_t now, int64_t *due)
{
	struct task *task;
	size_t i;

	for (i = 0; i < entry->n; i++) {
		task = &entry->tasks[i];
		if (task->seen.state != INBOX_WAITING)
			continue;
		if (task->seen.due <= now ||
		    task->seen.due > now + INBOX_DUE_MAX)
			return task;
		if (*due == 0 || task->seen.due < *due)
			*due = task->seen.due;
	}
	return NULL;
}

static void
hand_out(const struct entry *entry, const struct task *task,
    struct inbox_claim *claim)
{
	*claim = (struct inbox_claim){
		.event = entry->event,
		.handler = task->seen.handler,
		.worker = task->worker,
		.attempt = task->seen.attempts,
		.started = task->seen.started,
	};
}

static void
count_start(struct memory *memory, const struct entry *entry,
    const struct task *task, int64_t now)
{
	struct inbox_handler_status *handler = inbox_status_handler(
	    &memory->counts, task->seen.handler);
	int64_t wait = now - entry->event.received;

	if (handler == NULL || task->seen.started != 0)
		return;
	handler->wait.n[inbox_bucket(wait)]++;
	handler->wait.sum += wait;
}

/* The task to run next, or NULL; *due: when another one will be. */
static struct task *
memory_pick(struct memory *memory, int64_t now, struct entry **best,
    int64_t *due)
{
	struct task *task, *best_task = NULL;
	struct entry *entry;
	bool open = false;

	*due = 0;
	*best = NULL;
	for (entry = memory->entries; entry != NULL; entry = entry->next) {
		open |= is_open(entry);
		if (!is_open(entry) || !is_head(memory, entry))
			continue;
		task = due_task(entry, now, due);
		if (task == NULL || (*best != NULL && (is_urgent(*best) ||
		    !is_urgent(entry))))
			continue;
		*best = entry;
		best_task = task;
	}
	if (*due == 0 && open)
		*due = INT64_MAX;
	return best_task;
}

static int
memory_claim(struct inbox *inbox, int worker, const char *const *names,
    size_t n_names, struct inbox_claim *claim, int64_t *due)
{
	struct memory *memory = memory_of(inbox);
	int64_t now = inbox_now(inbox);
	struct entry *entry;
	struct task *task = memory_pick(memory, now, &entry, due);

	if (task == NULL)
		return 0;
	count_start(memory, entry, task, now);
	task->seen.state = INBOX_RUNNING;
	task->seen.attempts++;
	task->seen.started = now;
	task->worker = worker;
	hand_out(entry, task, claim);
	backend_check_name(claim, names, n_names);
	return 1;
}

static int
memory_next_due(struct inbox *inbox, int64_t *due)
{
	int64_t now = inbox_now(inbox);
	struct entry *entry;

	if (memory_pick(memory_of(inbox), now, &entry, due) != NULL)
		*due = now;
	return 0;
}

static struct task *
find_task(struct memory *memory, const struct inbox_claim *claim)
{
	struct entry *entry;
	size_t i;

	for (entry = memory->entries; entry != NULL; entry = entry->next)
		for (i = 0; i < entry->n; i++)
			if (entry->event.id == claim->event.id &&
			    strcmp(entry->tasks[i].seen.handler,
			    claim->handler) == 0)
				return &entry->tasks[i];
	return NULL;
}

static int
add_command(struct memory *memory, int64_t group_id,
    const struct inbox_command *command)
{
	struct command *found;

	if (!command->remove && command->version[0] == '\0')
		return 0;
	for (found = memory->commands; found != NULL; found = found->next)
		if (found->group_id == group_id)
			break;
	if (found == NULL) {
		found = calloc(1, sizeof(*found));
		if (found == NULL)
			return out_of_memory(&memory->inbox);
		found->group_id = group_id;
		found->next = memory->commands;
		memory->commands = found;
	}
	found->command.remove |= command->remove;
	if (command->version[0] != '\0')
		memcpy(found->command.version, command->version,
		    sizeof(found->command.version));
	return 0;
}

static void
count(struct memory *memory, const struct inbox_claim *claim,
    const struct inbox_end *end, int64_t now)
{
	struct inbox_handler_status *handler = inbox_status_handler(
	    &memory->counts, claim->handler);

	if (handler == NULL)
		return;
	if (end->state == INBOX_DONE) {
		handler->done++;
		handler->run.n[inbox_bucket(now - claim->started)]++;
		handler->run.sum += now - claim->started;
	} else {
		handler->failed++;
		handler->parked += end->state == INBOX_FAILED;
	}
}

static int
memory_finish(struct inbox *inbox, const struct inbox_claim *claim,
    const struct inbox_end *end)
{
	struct memory *memory = memory_of(inbox);
	struct task *task = find_task(memory, claim);

	if (task == NULL || task->worker != claim->worker ||
	    task->seen.attempts != claim->attempt)
		return 0;
	if (add_command(memory, claim->event.group_id, &end->command) == -1)
		return -1;
	task->seen.state = end->state;
	task->seen.due = end->state == INBOX_WAITING ? end->due : 0;
	task->seen.ended = inbox_now(inbox);
	task->worker = 0;
	snprintf(task->reason, sizeof(task->reason), "%s", end->reason);
	task->seen.attempts -= end->untried;
	if (!end->untried)
		count(memory, claim, end, task->seen.ended);
	return 1;
}

static int
memory_orphaned(struct inbox *inbox, int from, int to, struct inbox_claim *claim)
{
	struct entry *entry;
	size_t i;

	for (entry = memory_of(inbox)->entries; entry != NULL;
	    entry = entry->next)
		for (i = 0; i < entry->n; i++)
			if (entry->tasks[i].worker != 0 &&
			    entry->tasks[i].worker >= from &&
			    entry->tasks[i].worker <= to) {
				hand_out(entry, &entry->tasks[i], claim);
				return 1;
			}
	return 0;
}

static int
memory_flush(struct inbox *inbox)
{
	(void)inbox;
	return 0;
}

static int
memory_shift_due(struct inbox *inbox, int64_t milliseconds)
{
	struct entry *entry;
	size_t i;

	for (entry = memory_of(inbox)->entries; entry != NULL;
	    entry = entry->next)
		for (i = 0; i < entry->n; i++)
			if (entry->tasks[i].seen.due != 0)
				entry->tasks[i].seen.due += milliseconds;
	return 0;
}

static int
remove_entries(struct memory *memory,
    bool (*wanted)(const struct entry *, int64_t), int64_t arg)
{
	struct entry **at = &memory->entries, *entry;
	int removed = 0;

	while ((entry = *at) != NULL) {
		if (!wanted(entry, arg)) {
			at = &entry->next;
			continue;
		}
		*at = entry->next;
		free_entry(entry);
		removed++;
	}
	return removed;
}

static bool
is_old(const struct entry *entry, int64_t before)
{
	return entry->next != NULL && entry->event.received < before &&
	    !is_open(entry) && !has_state(entry, INBOX_FAILED);
}

static int
memory_purge(struct inbox *inbox, int64_t before)
{
	return remove_entries(memory_of(inbox), is_old, before);
}

static bool
is_looked_for(const struct entry *entry, const struct inbox_filter *filter)
{
	const struct inbox_event *event = &entry->event;

	return entry->n > 0 &&
	    (filter->id == 0 || event->id == filter->id) &&
	    event->id > filter->after &&
	    (filter->group_id == 0 || event->group_id == filter->group_id) &&
	    (filter->type == NULL || strcmp(event->type, filter->type) == 0) &&
	    event->received >= filter->since &&
	    (filter->state == INBOX_ANY ||
	    has_state(entry, (enum inbox_state)filter->state));
}

static int
memory_list(struct inbox *inbox, const struct inbox_filter *filter,
    inbox_list_fn *look, void *arg)
{
	struct inbox_task tasks[INBOX_TASKS_MAX];
	struct entry *entry;
	int64_t skip = 0;
	size_t i;

	for (entry = memory_of(inbox)->entries; entry != NULL;
	    entry = entry->next)
		skip += is_looked_for(entry, filter);
	skip = filter->limit == 0 ? 0 : skip - filter->limit;
	for (entry = memory_of(inbox)->entries; entry != NULL;
	    entry = entry->next) {
		if (!is_looked_for(entry, filter) || skip-- > 0)
			continue;
		for (i = 0; i < entry->n && i < INBOX_TASKS_MAX; i++)
			tasks[i] = entry->tasks[i].seen;
		if (!look(arg, &entry->event, tasks, i))
			break;
	}
	return 0;
}

static int
copy_counts(struct memory *memory, struct inbox_status *status)
{
	struct inbox_handler_status *handler;
	size_t i;

	for (i = 0; i < memory->counts.n_handlers; i++) {
		handler = inbox_status_handler(status,
		    memory->counts.handlers[i].name);
		if (handler == NULL) {
			inbox_status_free(status);
			return out_of_memory(&memory->inbox);
		}
		*handler = memory->counts.handlers[i];
	}
	return 0;
}

static int
memory_status(struct inbox *inbox, struct inbox_status *status)
{
	struct memory *memory = memory_of(inbox);
	int64_t now = inbox_now(inbox), due;
	struct entry *entry;
	size_t i;

	*status = (struct inbox_status){ .bytes = 0 };
	for (entry = memory->entries; entry != NULL; entry = entry->next) {
		status->stored_rate[0] += entry->event.received >= now - 60000;
		status->stored_rate[1] += entry->event.received >= now -
		    3600000;
		for (i = 0; i < entry->n; i++) {
			status->running +=
			    entry->tasks[i].seen.state == INBOX_RUNNING;
			status->parked +=
			    entry->tasks[i].seen.state == INBOX_FAILED;
		}
		if (!is_open(entry) || has_state(entry, INBOX_RUNNING))
			continue;
		status->waiting++;
		due = 0;
		status->retrying += due_task(entry, now, &due) == NULL &&
		    due != 0;
		if (status->oldest == 0 ||
		    entry->event.received < status->oldest)
			status->oldest = entry->event.received;
	}
	return copy_counts(memory, status);
}

static int
memory_wake_fd(struct inbox *inbox)
{
	return memory_of(inbox)->wakes;
}

static void
memory_drain_wakes(struct inbox *inbox)
{
	eventfd_t wakes;

	(void)eventfd_read(memory_of(inbox)->wakes, &wakes);
}

static int
memory_wake(struct inbox *inbox)
{
	if (eventfd_write(memory_of(inbox)->wakes, 1) == 0)
		return 1;
	snprintf(inbox->error, sizeof(inbox->error), "cannot wake: %s",
	    strerror(errno));
	return -1;
}

static int
memory_retry(struct inbox *inbox, const struct inbox_filter *filter)
{
	struct inbox_filter failed = *filter;
	struct inbox_task *task;
	struct entry *entry;
	int tasks = 0;
	size_t i;

	failed.state = INBOX_FAILED;
	for (entry = memory_of(inbox)->entries; entry != NULL;
	    entry = entry->next)
		for (i = 0; is_looked_for(entry, &failed) && i < entry->n;
		    i++) {
			task = &entry->tasks[i].seen;
			if (task->state != INBOX_FAILED)
				continue;
			task->state = INBOX_WAITING;
			task->attempts = 0;
			task->due = 0;
			tasks++;
		}
	return tasks;
}

static int
memory_drop(struct inbox *inbox, int64_t id)
{
	struct entry *entry;

	for (entry = memory_of(inbox)->entries; entry != NULL;
	    entry = entry->next) {
		if (entry->event.id != id || entry->n == 0)
			continue;
		if (!has_state(entry, INBOX_RUNNING)) {
			entry->n = 0;
			entry->event.object_len = 0;
			return 1;
		}
		snprintf(inbox->error, sizeof(inbox->error), "event %lld is "
		    "being handled: try again later", (long long)id);
		return -1;
	}
	return 0;
}

static bool
is_any(const struct entry *entry, int64_t arg)
{
	(void)entry;
	(void)arg;
	return true;
}

static void
memory_close(struct inbox *inbox)
{
	struct memory *memory = memory_of(inbox);
	struct command *command;

	(void)remove_entries(memory, is_any, 0);
	while ((command = memory->commands) != NULL) {
		memory->commands = command->next;
		free(command);
	}
	inbox_status_free(&memory->counts);
	if (memory->wakes != -1)
		close(memory->wakes);
	free(memory);
}

static const struct inbox_backend memory_backend = {
	.put = memory_put,
	.take_command = memory_take_command,
	.claim = memory_claim,
	.finish = memory_finish,
	.orphaned = memory_orphaned,
	.next_due = memory_next_due,
	.flush = memory_flush,
	.shift_due = memory_shift_due,
	.purge = memory_purge,
	.list = memory_list,
	.status = memory_status,
	.retry = memory_retry,
	.drop = memory_drop,
	.wake_fd = memory_wake_fd,
	.drain_wakes = memory_drain_wakes,
	.wake = memory_wake,
	.close = memory_close,
};

struct inbox *
inbox_in_memory(void)
{
	struct memory *memory = calloc(1, sizeof(*memory));

	if (memory == NULL)
		return NULL;
	memory->inbox.backend = &memory_backend;
	memory->inbox.clock = clock_wall_ms;
	memory->wakes = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return &memory->inbox;
}
