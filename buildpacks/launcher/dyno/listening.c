/* Waits until the web process of a dyno can be reached on its port: the readiness probe.
 *
 * A probe of the kubelet looks once a second; this one answers at the moment. With SEEN, a file that
 * remembers, it rests once that is there: on Heroku nobody looks at the port again, and a probe that
 * ended at once would be started again each second. SIGTERM ends the rest, and so the readiness of a
 * dyno that is ending. */
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "dyno.h"

enum { POLL_MS = 20 };

int listening(int port, int seconds, const char *seen)
{
	int64_t limit = now() + seconds * 1000LL;

	if (seen && !access(seen, F_OK)) {
		poll(NULL, 0, seconds * 1000);
		return 0;
	}
	while (!is_reachable(port)) {
		if (now() >= limit)
			return 1;
		poll(NULL, 0, POLL_MS);
	}
	if (seen)
		close(open(seen, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	return 0;
}
