/* Whose environment a process gets. The container's environment is the app's: its config vars bend
 * every program that reads them, from http_proxy to TMPDIR, LD_PRELOAD and BASH_ENV. The platform's
 * own steps know nothing of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dyno.h"

static const char NAME_FILE[] = "/haikube/pod/dyno";

extern char **environ;

/* What the platform's own steps may know: the operator sets this one, no config var can. */
static const char RELEASE[] = "HEROKU_RELEASE_VERSION";

char **platform_environment(void)
{
	static char release[64];
	static char *variables[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"LANG=C.UTF-8", "HOME=/tmp", NULL, NULL,
	};
	const char *version = getenv(RELEASE);

	if (version) {
		snprintf(release, sizeof release, "%s=%s", RELEASE, version);
		variables[3] = release;
	}
	return variables;
}

/* Kubernetes tells every container of its API server, whatever the pod says. A dyno has no token for
 * it, and frameworks that find these variables believe that they may talk to it. */
static bool is_of_cluster(const char *variable)
{
	static const char *const known[] = {"KUBERNETES_SERVICE_HOST=", "KUBERNETES_SERVICE_PORT", "KUBERNETES_PORT"};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (!strncmp(variable, known[i], strlen(known[i])))
			return true;
	return false;
}

static void hide_cluster(void)
{
	char **kept = environ;

	for (char **each = environ; *each; each++)
		if (!is_of_cluster(*each))
			*kept++ = *each;
	*kept = NULL;
}

/* A dyno that has no name from the operator yet is called by the end of its pod's name. */
static void guess_name(char *name, size_t size)
{
	const char *pod = getenv("HAIKUBE_POD"), *type = getenv("HAIKUBE_PROCESS_TYPE");
	const char *end = pod ? strrchr(pod, '-') : NULL;

	snprintf(name, size, "%s.%s", type && *type ? type : "run", end ? end + 1 : pod ? pod : "1");
}

static void read_name(char *name, size_t size)
{
	FILE *file = fopen(NAME_FILE, "re");
	size_t length = file ? fread(name, 1, size - 1, file) : 0;

	if (file)
		fclose(file);
	name[length] = '\0';
	name[strcspn(name, "\n")] = '\0';
	if (!*name)
		guess_name(name, size);
}

char **app_environment(void)
{
	char name[256];

	hide_cluster();
	read_name(name, sizeof name);
	setenv("HOME", "/app", 1);
	setenv("DYNO", name, 1);
	return environ;
}
