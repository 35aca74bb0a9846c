/* What a dyno prints before somebody listens is lost to them. So a session sends one line as soon as
 * it listens, and the command starts when that was read. The terminal echoes nothing until then. */
#include <poll.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include "dyno.h"

enum { POLL_MS = 100 };

static void echo(bool wanted)
{
	struct termios terminal;

	if (tcgetattr(STDIN_FILENO, &terminal))
		return; /* a session without a terminal */
	terminal.c_lflag = wanted ? terminal.c_lflag | ECHO : terminal.c_lflag & ~ECHO;
	tcsetattr(STDIN_FILENO, TCSANOW, &terminal);
}

void hush_terminal(void)
{
	echo(false);
}

/* All signals are blocked, so one that came is pending. */
bool is_told_to_end(void)
{
	sigset_t pending;

	sigpending(&pending);
	return sigismember(&pending, SIGTERM) == 1;
}

/* Reads byte by byte: what follows the line is the command's. False: nobody came in time. */
bool heard_session(int seconds)
{
	struct pollfd waited = {.fd = STDIN_FILENO, .events = POLLIN};
	int64_t limit = now() + seconds * 1000LL;
	char byte = '\0';

	while (byte != '\n') {
		if (now() >= limit || is_told_to_end())
			return false;
		if (poll(&waited, 1, POLL_MS) > 0 && read(STDIN_FILENO, &byte, 1) != 1)
			return false;
	}
	echo(true);
	return true;
}
