/* Starts the command, passes signals on, reaps whoever ended, and keeps the limits.
 *
 * A dyno lives until the last of its processes ended or the grace is over, whoever of them ended
 * first. Its exit code is that of the command. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dyno.h"

enum { BOOT_POLL_MS = 20, READER_POLL_MS = 100, TOLD_TO_END = 128 + SIGTERM, NO_SESSION = 128, NO_PROGRAM = 127 };

struct dyno {
	const struct options *options;
	int signals;	  /* where signals are read */
	sigset_t before;  /* what was blocked when we started */
	pid_t command;	  /* process group of what runs now */
	int code;	  /* its exit code, -1 while it runs */
	bool first;	  /* what runs is the platform's, the command comes after it */
	bool ending;	  /* SIGTERM was sent to all */
	int64_t kill_at;  /* when the grace is over, 0: not ending */
	int64_t listen_by; /* when it is R10, 0: not asked for, or it listens */
};

static void take_signals(struct dyno *dyno)
{
	static const int read[] = {SIGCHLD, SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2};
	sigset_t all, ours;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &dyno->before);
	sigemptyset(&ours);
	for (size_t i = 0; i < sizeof read / sizeof *read; i++)
		sigaddset(&ours, read[i]);
	dyno->signals = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* In a group of its own, in the foreground of the terminal if there is one. */
static void become(const struct dyno *dyno, char *const *words, char **environment, bool silent)
{
	setpgid(0, 0);
	if (silent)
		dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
	else if (isatty(STDIN_FILENO))
		tcsetpgrp(STDIN_FILENO, getpid());
	sigprocmask(SIG_SETMASK, &dyno->before, NULL);
	execve(words[0], words, environment);
	fprintf(stderr, "%s: %s\n", words[0], strerror(errno));
	_exit(NO_PROGRAM);
}

static void start(struct dyno *dyno, char *const *words, char **environment, bool silent)
{
	dyno->code = -1;
	dyno->command = fork();
	if (dyno->command == 0)
		become(dyno, words, environment, silent);
	if (dyno->command > 0)
		setpgid(dyno->command, dyno->command);
	else
		dyno->code = NO_PROGRAM;
}

static void end(struct dyno *dyno)
{
	if (dyno->ending)
		return;
	dyno->ending = true;
	dyno->listen_by = 0;
	dyno->kill_at = now() + dyno->options->grace * 1000LL;
	end_all();
}

static void read_signals(struct dyno *dyno)
{
	struct signalfd_siginfo got;

	while (read(dyno->signals, &got, sizeof got) == sizeof got) {
		switch (got.ssi_signo) {
		case SIGCHLD:
			break;
		case SIGTERM:
			end(dyno);
			break;
		default:
			if (dyno->command > 0)
				kill(-dyno->command, (int)got.ssi_signo);
		}
	}
}

/* Returns whether any process is left. */
static bool reap(struct dyno *dyno)
{
	int status;
	pid_t ended;

	while ((ended = waitpid(-1, &status, WNOHANG)) > 0)
		if (ended == dyno->command)
			dyno->code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return ended == 0;
}

static void kill_all(struct dyno *dyno)
{
	kill(-1, SIGKILL);
	dyno->kill_at = dyno->listen_by = 0;
}

static void keep_limits(struct dyno *dyno)
{
	if (readers_left())
		end_readers();
	if (dyno->kill_at && now() >= dyno->kill_at) {
		last_word("Error R12 (Exit timeout) -> At least one process failed to exit within %d seconds of SIGTERM",
			  dyno->options->grace);
		kill_all(dyno);
	}
	if (!dyno->listen_by)
		return;
	if (is_reachable(dyno->options->port)) {
		dyno->listen_by = 0;
	} else if (now() >= dyno->listen_by) {
		last_word("Error R10 (Boot timeout) -> Web process failed to bind to $PORT within %d seconds of launch",
			  dyno->options->boot);
		kill_all(dyno);
	}
}

/* Milliseconds until a limit has to be looked at again, -1: only when something happens. */
static int patience(const struct dyno *dyno)
{
	int64_t left;

	if (dyno->listen_by)
		return BOOT_POLL_MS;
	if (readers_left())
		return READER_POLL_MS;
	left = dyno->kill_at - now();
	return !dyno->kill_at ? -1 : left > 0 ? (int)left : 0;
}

/* Lives until the last process ended. What outlives the command gets its SIGTERM then. */
static void live(struct dyno *dyno)
{
	struct pollfd waited = {.fd = dyno->signals, .events = POLLIN};

	while (reap(dyno)) {
		if (dyno->code >= 0 && dyno->first && !dyno->ending)
			return;
		if (dyno->code >= 0)
			end(dyno);
		keep_limits(dyno);
		poll(&waited, 1, patience(dyno));
		read_signals(dyno);
	}
}

static int await_session(struct dyno *dyno)
{
	if (!dyno->options->attach || heard_session(dyno->options->attach))
		return 0;
	if (is_told_to_end())
		return TOLD_TO_END;
	last_word("Error R13 (Attach error) -> Failed to attach to process");
	return NO_SESSION;
}

static int live_through(const struct options *options)
{
	struct dyno dyno = {.options = options};

	take_signals(&dyno);
	if (options->attach)
		hush_terminal();
	if (options->first) {
		dyno.first = true;
		start(&dyno, options->first, platform_environment(), true);
		live(&dyno);
		dyno.first = false;
		if (dyno.code || dyno.ending)
			return dyno.code;
	}
	if ((dyno.code = await_session(&dyno)))
		return dyno.code;
	start(&dyno, options->command, app_environment(), false);
	if (options->port && options->boot)
		dyno.listen_by = now() + options->boot * 1000LL;
	live(&dyno);
	return dyno.code;
}

int run(const struct options *options)
{
	int code = live_through(options);

	let_output_drain();
	return code;
}
