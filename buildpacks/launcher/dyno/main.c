/* Process 1 of a dyno, its readiness probe, and second processes in it.
 *
 *   dyno [--grace N] [--web PORT --boot N] [--attach N] [--first WORDS] -- COMMAND [ARGUMENT]...
 *   dyno listening PORT SECONDS [SEEN]
 *   dyno inside SESSION COMMAND [ARGUMENT]...
 *   dyno hang-up SESSION
 *
 * --first   words of a program that runs before, in the platform's environment: it fetches the slug
 * --web     the port on which the command has to be reachable --boot seconds after its start (R10)
 * --grace   how long the processes have after SIGTERM (R12)
 * --attach  how long to wait for the line that a session sends when it listens (R13)
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dyno.h"

enum { MISUSED = 64, DEFAULT_GRACE = 30, MOST_WORDS = 8 };

static int misused(const char *why)
{
	fprintf(stderr, "dyno: %s\n", why);
	return MISUSED;
}

/* Splits at spaces, in place. */
static char *const *split(char *text)
{
	static char *words[MOST_WORDS + 1];
	int count = 0;

	for (char *word = strtok(text, " "); word && count < MOST_WORDS; word = strtok(NULL, " "))
		words[count++] = word;
	return words;
}

static bool is_called(const char *name, int count, char **words)
{
	return count > 1 && !strcmp(words[1], name);
}

int main(int count, char **words)
{
	static const struct option known[] = {
		{"grace", required_argument, NULL, 'g'},  {"boot", required_argument, NULL, 'b'},
		{"web", required_argument, NULL, 'w'},    {"attach", required_argument, NULL, 'a'},
		{"first", required_argument, NULL, 'f'},  {NULL, 0, NULL, 0},
	};
	struct options options = {.grace = DEFAULT_GRACE};
	int letter;

	if (is_called("listening", count, words) && (count == 4 || count == 5))
		return listening(atoi(words[2]), atoi(words[3]), count == 5 ? words[4] : NULL);
	if (is_called("inside", count, words) && count > 3)
		return inside(words[2], words + 3);
	if (is_called("hang-up", count, words) && count == 3)
		return hang_up(words[2]);
	while ((letter = getopt_long(count, words, "+", known, NULL)) != -1) {
		switch (letter) {
		case 'g': options.grace = atoi(optarg); break;
		case 'b': options.boot = atoi(optarg); break;
		case 'w': options.port = atoi(optarg); break;
		case 'a': options.attach = atoi(optarg); break;
		case 'f': options.first = split(optarg); break;
		default: return MISUSED;
		}
	}
	if (optind == count)
		return misused("there is no command");
	/* Signals go to every process there is: outside a container that would be the machine. */
	if (getpid() != 1)
		return misused("it runs as process 1 alone");
	options.command = words + optind;
	return run(&options);
}
