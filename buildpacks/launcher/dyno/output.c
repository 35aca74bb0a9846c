/* What was printed last. A busy containerd lets go of a container's output when its first process ends,
 * whether it has read all of it or not: what it has not read by then is in no log and on no screen. */
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dyno.h"

enum { POLL_MS = 10, MOST_MS = 2000, PASSED_ON_MS = 200 };

/* The kernel tells how much is left in a pipe; of a terminal it tells this end nothing. */
static bool is_unread(int output)
{
	struct stat status;
	int left = 0;

	return !fstat(output, &status) && S_ISFIFO(status.st_mode) && !ioctl(output, FIONREAD, &left) && left;
}

/* Waits until all was taken, and a moment more: who takes it passes it on. */
void let_output_drain(void)
{
	int64_t limit = now() + MOST_MS;

	while ((is_unread(STDOUT_FILENO) || is_unread(STDERR_FILENO)) && now() < limit)
		poll(NULL, 0, POLL_MS);
	poll(NULL, 0, PASSED_ON_MS);
}
