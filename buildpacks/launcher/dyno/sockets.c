/* Whether a request to a port of this pod reaches somebody. The kernel is asked who listens, so the app
 * sees no connection that is none. Nobody reaches a socket on a loopback address, and nobody one of
 * IPv6 alone in a pod that others know by an IPv4 address. */
#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dyno.h"

/* The address by which others know this pod: of its names in /etc/hosts the first is its own. */
static int family_of_pod(void)
{
	char line[512], address[64], name[256], own[256] = "";
	static int family;
	FILE *hosts = family ? NULL : fopen("/etc/hosts", "re");

	if (family)
		return family;
	family = AF_INET;
	gethostname(own, sizeof own - 1);
	while (hosts && fgets(line, sizeof line, hosts))
		if (sscanf(line, "%63s %255s", address, name) == 2 && !strcmp(name, own)) {
			family = strchr(address, ':') ? AF_INET6 : AF_INET;
			break;
		}
	if (hosts)
		fclose(hosts);
	return family;
}

/* A listening address as bytes; only6: it takes no IPv4, though it might. */
static bool reaches(int family, const uint8_t *address, bool only6)
{
	static const uint8_t any[16], mapped[12] = {[10] = 0xff, [11] = 0xff};
	bool wants4 = family_of_pod() == AF_INET;

	if (family == AF_INET6 && !memcmp(address, mapped, sizeof mapped)) {
		family = AF_INET;
		address += sizeof mapped;
	}
	if (family == AF_INET)
		return wants4 && address[0] != 127;
	if (!memcmp(address, any, sizeof any))
		return !(wants4 && only6);
	return !wants4 && !IN6_IS_ADDR_LOOPBACK((const struct in6_addr *)address);
}

static bool is_only6(struct nlmsghdr *message)
{
	struct inet_diag_msg *socket = NLMSG_DATA(message);
	int left = (int)message->nlmsg_len - (int)NLMSG_LENGTH(sizeof *socket);

	for (struct rtattr *each = (struct rtattr *)(socket + 1); RTA_OK(each, left); each = RTA_NEXT(each, left))
		if (each->rta_type == INET_DIAG_SKV6ONLY)
			return *(uint8_t *)RTA_DATA(each);
	return false;
}

static bool ask(int channel, int family, int port)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 wanted;
	} question = {
		.header = {sizeof question, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, 0, 0},
		.wanted = {.sdiag_family = family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = 1 << TCP_LISTEN,
			   .id.idiag_sport = htons(port)},
	};

	return send(channel, &question, sizeof question, 0) == sizeof question;
}

/* 1: somebody is reached, 0: nobody, -1: the kernel does not answer (gVisor). */
static int asked(int channel, int family, int port)
{
	char buffer[8192] __attribute__((aligned(NLMSG_ALIGNTO)));
	int found = 0;

	if (!ask(channel, family, port))
		return -1;
	for (;;) {
		ssize_t got = recv(channel, buffer, sizeof buffer, 0);
		size_t left = got > 0 ? (size_t)got : 0;
		struct nlmsghdr *each = (struct nlmsghdr *)buffer;

		if (got <= 0)
			return -1;
		for (; NLMSG_OK(each, left); each = NLMSG_NEXT(each, left)) {
			struct inet_diag_msg *socket = NLMSG_DATA(each);

			if (each->nlmsg_type == NLMSG_ERROR)
				return -1;
			if (each->nlmsg_type == NLMSG_DONE)
				return found;
			if (socket->id.idiag_sport == htons(port))
				found |= reaches(family, (const uint8_t *)socket->id.idiag_src, is_only6(each));
		}
	}
}

/* The same of the text files, which do not tell IPv6 alone from both. Words of four bytes stand in
 * them in the machine's order. */
static bool listed(const char *path, int family, int port)
{
	char line[512];
	uint32_t words[4] = {0};
	unsigned number, state;
	bool found = false;
	FILE *table = fopen(path, "re");
	const char *form = family == AF_INET ? " %*d: %8X:%X %*8X:%*X %X" : " %*d: %8X%8X%8X%8X:%X %*32[0-9A-F]:%*X %X";

	while (table && !found && fgets(line, sizeof line, table)) {
		int count = family == AF_INET
				    ? sscanf(line, form, words, &number, &state)
				    : sscanf(line, form, words, words + 1, words + 2, words + 3, &number, &state);

		if (count >= 3 && state == TCP_LISTEN && (int)number == port)
			found = reaches(family, (const uint8_t *)words, false);
	}
	if (table)
		fclose(table);
	return found;
}

bool is_reachable(int port)
{
	int channel = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	int four = channel < 0 ? -1 : asked(channel, AF_INET, port);
	int six = four ? 0 : asked(channel, AF_INET6, port);

	if (channel >= 0)
		close(channel);
	if (four < 0 || six < 0)
		return listed("/proc/net/tcp", AF_INET, port) || listed("/proc/net/tcp6", AF_INET6, port);
	return four || six;
}
