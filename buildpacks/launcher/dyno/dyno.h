/* The parts of process 1 of a dyno. */
#ifndef DYNO_H
#define DYNO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What the operator asks for; seconds. 0 means that there is no such limit, and no such wait. */
struct options {
	int grace;
	int boot;
	int port;
	int attach;
	char *const *first;
	char *const *command;
};

/* run.c: runs the dyno and never returns before all of its processes ended. */
int run(const struct options *options);

/* clock.c: milliseconds that only go forward. */
int64_t now(void);

/* words.c: says why a dyno ends, in its log and as the last word to the kubelet. */
void last_word(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* environment.c: whose environment a process gets. */
char **platform_environment(void);
char **app_environment(void);

/* session.c: an attached dyno is silent until somebody listens. */
void hush_terminal(void);
bool heard_session(int seconds);
bool is_told_to_end(void);

/* output.c: what was printed last arrives. */
void let_output_drain(void);

/* ending.c: SIGTERM for all, in an order that breaks no pipe. */
void end_all(void);
void end_readers(void);
bool readers_left(void);

/* sockets.c: whether a request to this port reaches somebody. */
bool is_reachable(int port);

/* listening.c: the readiness probe. */
int listening(int port, int seconds, const char *seen);

/* inside.c: a second process in a dyno that runs. */
int inside(const char *session, char *const *command);
int hang_up(const char *session);

#endif
