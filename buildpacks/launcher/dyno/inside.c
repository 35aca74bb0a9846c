/* A second process in a dyno that runs (`heroku run:inside`): what a session starts, and how the one who
 * holds it hangs up. It has the environment that the command has. */
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
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

static void note(const char *session)
{
	char path[256];
	FILE *file = session_file(session, path, sizeof path) ? fopen(path, "we") : NULL;

	if (file) {
		fprintf(file, "%d", getpid());
		fclose(file);
	}
}

static int become(char *const *command)
{
	execve(command[0], command, app_environment());
	fprintf(stderr, "%s: %s\n", command[0], strerror(errno));
	return NO_PROGRAM;
}

/* What a session starts lives a little longer than the command, so that what was printed last arrives. What
 * is signalled to their group, as by a terminal, is the command's alone. */
int inside(const char *session, char *const *command)
{
	sigset_t all, before;
	int status;
	pid_t child;

	setpgid(0, 0); /* which the first process of a terminal's session has already */
	note(session);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	child = fork();
	if (child == 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		_exit(become(command));
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return NO_PROGRAM;
	let_output_drain();
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
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
