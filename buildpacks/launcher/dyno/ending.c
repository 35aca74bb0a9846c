/* SIGTERM for every process of the dyno, as on Heroku, with two refinements. Who only reads what
 * others print (`node server.js | pino-pretty`) gets it when they have ended. Killed at once, it would
 * break their pipe, and with that the requests that they are finishing.
 *
 * And to PHP-FPM, Apache and nginx SIGTERM means to drop what is running. A parent that ends such a
 * child by the signal that lets it finish runs it in a session of its own, and says so by an empty file
 * with the number of that session. It counts while that parent lives. */
#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dyno.h"

/* A reader ends by itself when its input ends; after so many milliseconds it is told to. */
enum { READER_MS = 1000, MOST = 4096, READERS = 64 };

#define ORDERLY "/tmp/.haikube-orderly"

struct process {
	pid_t id;
	unsigned long in, out, err; /* inodes of pipes, 0 for anything else */
	bool fed;		    /* it reads from one that has got its SIGTERM */
};

static struct reader {
	pid_t id;
	int64_t limit;
} readers[READERS];
static int reader_count;

static struct process seen[MOST];
static int seen_count;

static unsigned long pipe_of(pid_t id, int file)
{
	char path[64], target[64];
	unsigned long inode = 0;
	ssize_t length;

	snprintf(path, sizeof path, "/proc/%d/fd/%d", id, file);
	length = readlink(path, target, sizeof target - 1);
	target[length < 0 ? 0 : length] = '\0';
	return sscanf(target, "pipe:[%lu]", &inode) == 1 ? inode : 0;
}

static void look(void)
{
	DIR *folder = opendir("/proc");
	struct dirent *entry;

	seen_count = 0;
	while (folder && seen_count < MOST && (entry = readdir(folder))) {
		pid_t id = atoi(entry->d_name);

		if (!isdigit((unsigned char)*entry->d_name) || id == getpid())
			continue;
		seen[seen_count++] = (struct process){id, pipe_of(id, 0), pipe_of(id, 1), pipe_of(id, 2), false};
	}
	if (folder)
		closedir(folder);
}

static bool feeds(const struct process *writer, const struct process *reader)
{
	return writer->id != reader->id && (writer->out == reader->in || writer->err == reader->in);
}

static const struct process *writer_of(const struct process *reader, bool fed_only)
{
	for (int i = 0; reader->in && i < seen_count; i++)
		if (feeds(&seen[i], reader) && (!fed_only || seen[i].fed))
			return &seen[i];
	return NULL;
}

/* Marks whoever gets its SIGTERM now, then those whose input ends with them. What is left are
 * circles (coprocesses): nobody of a circle would ever end. Returns the number of readers. */
static int find_readers(void)
{
	bool more = true;
	int count = 0;

	for (int i = 0; i < seen_count; i++)
		seen[i].fed = !writer_of(&seen[i], false);
	while (more) {
		more = false;
		for (int i = 0; i < seen_count; i++)
			if (!seen[i].fed && count < READERS && writer_of(&seen[i], true)) {
				readers[count++] = (struct reader){seen[i].id, now() + READER_MS};
				more = seen[i].fed = true;
			}
	}
	return count;
}

static pid_t parent_of(pid_t id)
{
	char path[64], line[512], *end;
	int parent = 0;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/stat", id);
	file = fopen(path, "r");
	if (!file)
		return 0;
	/* The name in parentheses may hold anything. */
	if (fgets(line, sizeof line, file) && (end = strrchr(line, ')')))
		sscanf(end + 1, " %*c %d", &parent);
	fclose(file);
	return parent;
}

static bool has_orderly_end(pid_t id)
{
	pid_t session = getsid(id);
	char path[64];

	snprintf(path, sizeof path, ORDERLY "/%d", session);
	return session > 1 && !access(path, F_OK) && parent_of(session) > 1;
}

static bool any_has_orderly_end(void)
{
	for (int i = 0; i < seen_count; i++)
		if (has_orderly_end(seen[i].id))
			return true;
	return false;
}

static bool is_reader(pid_t id)
{
	for (int i = 0; i < reader_count; i++)
		if (readers[i].id == id)
			return true;
	return false;
}

void end_all(void)
{
	look();
	if (!find_readers() && !any_has_orderly_end()) {
		kill(-1, SIGTERM);
	} else {
		kill(-1, SIGSTOP); /* nobody forks between the look and the signal */
		look();
		reader_count = find_readers();
		for (int i = 0; i < seen_count; i++)
			if (!is_reader(seen[i].id) && !has_orderly_end(seen[i].id))
				kill(seen[i].id, SIGTERM);
		kill(-1, SIGCONT);
	}
	if (isatty(STDIN_FILENO))
		kill(-1, SIGHUP); /* an interactive shell ignores SIGTERM */
}

bool readers_left(void)
{
	return reader_count > 0;
}

/* Tells readers to end whose input has ended and who still are there. */
void end_readers(void)
{
	int kept = 0;

	look();
	for (int i = 0; i < reader_count; i++) {
		struct reader each = readers[i];
		struct process process = {.id = each.id, .in = pipe_of(each.id, 0)};

		if (writer_of(&process, false))
			each.limit = now() + READER_MS;
		if (now() < each.limit)
			readers[kept++] = each;
		else
			kill(each.id, SIGTERM);
	}
	reader_count = kept;
}
