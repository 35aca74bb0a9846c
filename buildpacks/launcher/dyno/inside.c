/* A second process in a dyno that runs (`heroku run:inside`): what a session starts, and how the one who
 * holds it hangs up. It has the environment that the command has. */
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dyno.h"

enum { NO_PROGRAM = 127, NO_SESSION = 1 };

/* A file tells a later call whom to end. Names are the caller's: only letters, digits and - are taken. */
static bool session_file(const char *session, char *path, size_t size)
{
	for (const char *each = session; *each; each++)
		if (!isalnum((unsigned char)*each) && *each != '-')
			return false;
	return snprintf(path, size, "/tmp/.haikube-session-%s", session) < (int)size;
}

int inside(const char *session, char *const *command)
{
	char path[256];
	FILE *file = session_file(session, path, sizeof path) ? fopen(path, "we") : NULL;

	if (file) {
		fprintf(file, "%d", getpid());
		fclose(file);
	}
	execve(command[0], command, app_environment());
	fprintf(stderr, "%s: %s\n", command[0], strerror(errno));
	return NO_PROGRAM;
}

/* What a terminal does to its programs when it goes away. */
int hang_up(const char *session)
{
	char path[256];
	int id = 0, count = 0;
	FILE *file = session_file(session, path, sizeof path) ? fopen(path, "re") : NULL;

	if (file) {
		count = fscanf(file, "%d", &id);
		fclose(file);
		unlink(path);
	}
	if (count != 1 || id <= 1)
		return NO_SESSION;
	return kill(-id, SIGHUP) && kill(id, SIGHUP) ? NO_SESSION : 0;
}
