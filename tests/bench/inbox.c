/*
 * inbox.c - events per second, with several processes at once:
 *
 *	inbox MODE PROCESSES MILLISECONDS FOLDER
 *
 * MODE none: the whole way of a request, without an inbox; inbox: the same with
 * one, each event durable when it is answered; plain: one transaction per event
 * in SQLite with synchronous=FULL, no more than its insertion. Prints a number.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "conf/conf.h"
#include "log.h"
#include "web/receive.h"
#include "inbox/sqlite.h"

#define BODY_MAX 8192

struct request {
	struct http_request http;	/* first */
	const char *body;
	size_t len;
};

static size_t
read_body(struct http_request *http, char *into, size_t size)
{
	const struct request *request = (struct request *)(void *)http;

	memcpy(into, request->body, size < request->len ? size : request->len);
	return size;
}

/* tests/bench/small.json with an event_id of its own. */
static size_t
make_body(const char *sample, char *body, long nth)
{
	const char *id = strstr(sample, "\"event_id\":\"");

	if (id == NULL)
		abort();
	id += strlen("\"event_id\":\"");
	return (size_t)snprintf(body, BODY_MAX, "%.*s%010ld%020ld%s",
	    (int)(id - sample), sample, (long)getpid(), nth, id + 30);
}

static long
serve(const char *folder, const char *inbox, const char *sample, int64_t end)
{
	char text[512], body[BODY_MAX], length[24];
	int len = snprintf(text, sizeof(text), "[vkcb]\nlog_level = error\n"
	    "inbox = %s%s\n[default]\nsecret = none\n", inbox != NULL ?
	    folder : "", inbox != NULL ? inbox : "none");
	struct conf_refused refused;
	struct conf *conf = conf_parse("bench", text, (size_t)len, &refused);
	struct receiver receiver;
	struct http_answer answer;
	struct request request;
	long n;

	if (conf == NULL || log_open("stderr", LOG_LEVEL_ERROR) == -1)
		abort();
	/* There is no configuration file: do not check for changes. */
	receiver_init(&receiver, conf);
	receiver.conf_fixed = true;	/* there is no file */
	for (n = 0; clock_ms() < end; n++) {
		request = (struct request){
			.http = { .method = "POST", .length = length,
			    .read = read_body },
			.body = body,
			.len = make_body(sample, body, n),
		};
		snprintf(length, sizeof(length), "%zu", request.len);
		receive(&receiver, &request.http, &answer);
		if (answer.status != 200) {
			fprintf(stderr, "%d %s\n", answer.status, answer.body);
			exit(1);
		}
		receiver.stored = false;	/* no workers here */
		receive_done(&receiver);
	}
	receiver_release(&receiver);
	return n;
}

static struct sqlite3 *
open_plain(const struct sqlite *sql, const char *folder)
{
	char path[512];
	struct sqlite3 *db;

	snprintf(path, sizeof(path), "%s/plain", folder);
	if (sql->open_v2(path, &db, SQL_OPEN_READWRITE | 0x4, NULL) != SQL_OK ||
	    sql->exec(db, "PRAGMA busy_timeout = 20000;"
	    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
	    "CREATE TABLE IF NOT EXISTS event (id INTEGER PRIMARY KEY, "
	    "body TEXT)", NULL, NULL, NULL) != SQL_OK)
		abort();
	return db;
}

static long
insert(const struct sqlite *sql, const char *folder, const char *sample,
    int64_t end)
{
	char body[BODY_MAX];
	struct sqlite3_stmt *stmt;
	struct sqlite3 *db = open_plain(sql, folder);
	size_t len;
	long n;

	if (sql->prepare_v3(db, "INSERT INTO event (body) VALUES (?)", -1, 0,
	    &stmt, NULL) != SQL_OK)
		abort();
	for (n = 0; clock_ms() < end; n++) {
		len = make_body(sample, body, n);
		if (sql->bind_text(stmt, 1, body, (int)len, NULL) != SQL_OK ||
		    sql->step(stmt) != SQL_DONE || sql->reset(stmt) != SQL_OK)
			abort();
	}
	return n;
}

int
main(int argc, char **argv)
{
	char sample[BODY_MAX] = "", error[512];
	const struct sqlite *sql = sqlite_load(error, sizeof(error));
	FILE *file = fopen("tests/bench/small.json", "r");
	int processes, out[2], i;
	int64_t end;
	long all = 0, n;

	if (argc != 5 || file == NULL || sql == NULL || pipe(out) == -1 ||
	    fread(sample, 1, sizeof(sample) - 1, file) == 0)
		return 2;
	/*
	 * The inbox is opened by one process at a time, as first users would
	 * collide.
	 */
	if (strcmp(argv[1], "plain") == 0)
		sql->close_v2(open_plain(sql, argv[4]));
	processes = (int)strtol(argv[2], NULL, 10);
	end = clock_ms() + strtol(argv[3], NULL, 10);
	for (i = 0; i < processes; i++) {
		if (fork() != 0)
			continue;
		n = strcmp(argv[1], "plain") == 0 ?
		    insert(sql, argv[4], sample, end) :
		    serve(argv[4], strcmp(argv[1], "inbox") == 0 ? "/inbox" :
		    NULL, sample, end);
		_exit(write(out[1], &n, sizeof(n)) != sizeof(n));
	}
	close(out[1]);
	for (i = 0; i < processes; i++)
		if (read(out[0], &n, sizeof(n)) == sizeof(n))
			all += n;
	while (wait(&i) > 0)
		if (i != 0)
			return 1;
	printf("%ld\n", all * 1000 / strtol(argv[3], NULL, 10));
	return 0;
}
