/* SPDX-License-Identifier: Apache-2.0 */
/* A kernel that lacks something, for the program behind it: deny WHAT… -- PROGRAM ARGUMENT…
 *
 *	nfnetlink	socket() knows no such netlink protocol: no nf_tables, no iptables-nft
 *	nexthop		rtnetlink has no RTM_NEWNEXTHOP, …: a kernel before Linux 5.3
 *	nftables	nfnetlink has no subsystem for nf_tables
 *	nftables6	nf_tables does not know the family ip6
 *
 * and deny hold PORT: a socket holds this UDP port until it is killed.
 *
 * The first is a seccomp filter's answer. A filter cannot look into a message; for the others each
 * sendto() and sendmsg() on a netlink socket stops (ptrace, behind a filter that stops at nothing else), and the
 * message's type becomes one that no kernel knows, so that the real one gives its own refusal.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"

#ifdef __x86_64__

/* linux/netfilter/nfnetlink.h */
# define SUBSYS_NFTABLES 10
# define NFPROTO_IPV6_	 10 /* linux/netfilter.h */
# define NETFILTER	 12 /* NETLINK_NETFILTER */

static bool no_nfnetlink, no_nexthop, no_nftables, no_nftables6;
static pid_t child;

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void filter(void)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendto, 6, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 6),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, no_nfnetlink ? NETFILTER : UINT32_MAX, 0, 2),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPROTONOSUPPORT),
		BPF_STMT(BPF_RET | BPF_K, no_nexthop || no_nftables || no_nftables6
						  ? SECCOMP_RET_TRACE
						  : SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {.len = ARRAY_SIZE(f), .filter = f};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0)
		die("seccomp");
}

/* Requests of the kind that is lacking, by what no kernel knows. `family` follows the header. */
static void spoil(uint16_t *type, uint8_t *family, bool netfilter)
{
	if (!netfilter && no_nexthop && *type >= RTM_NEWNEXTHOP && *type <= RTM_GETNEXTHOP)
		*type = 1000; /* above RTM_MAX: EOPNOTSUPP */
	if (netfilter && no_nftables && *type >> 8 == SUBSYS_NFTABLES)
		*type = 250 << 8; /* no such subsystem: EINVAL */
	if (netfilter && no_nftables6 && *type >> 8 == SUBSYS_NFTABLES && *family == NFPROTO_IPV6_)
		*family = 77; /* no such family: EOPNOTSUPP */
}

/* Which protocol the child's socket speaks: its symbolic link does not tell, netlink's table does. */
static bool is_netfilter(int fd)
{
	char path[64], link[64] = "", line[256];
	unsigned long inode, at;
	bool found = false;
	unsigned protocol;
	FILE *table;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", child, fd);
	if (readlink(path, link, sizeof(link) - 1) < 0 || sscanf(link, "socket:[%lu]", &inode) != 1)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/net/netlink", child);
	table = fopen(path, "re");
	while (table && !found && fgets(line, sizeof(line), table)) {
		if (sscanf(line, "%*s %u %*s %*s %*s %*s %*s %*s %*s %lu", &protocol, &at) == 2 &&
		    at == inode)
			found = protocol == NETFILTER;
	}
	if (table)
		fclose(table);
	return found;
}

static void look_at_message(void)
{
	static uint8_t bytes[1 << 16];
	struct user_regs_struct regs;
	struct iovec mine, theirs;
	size_t n, at = 0;
	bool netfilter;

	if (ptrace(PTRACE_GETREGS, child, NULL, &regs) < 0)
		return;
	n = MIN((size_t)regs.rdx, sizeof(bytes));
	mine = (struct iovec){bytes, n};
	theirs = (struct iovec){(void *)regs.rsi, n};
	if (process_vm_readv(child, &mine, 1, &theirs, 1, 0) != (ssize_t)n)
		return;
	netfilter = is_netfilter((int)regs.rdi);
	while (n - at >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr m;

		memcpy(&m, bytes + at, sizeof(m));
		if (m.nlmsg_len <= sizeof(m) || m.nlmsg_len > n - at)
			break;
		spoil(&m.nlmsg_type, &bytes[at + sizeof(m)], netfilter);
		memcpy(bytes + at, &m, sizeof(m));
		at += MIN(NLMSG_ALIGN(m.nlmsg_len), n - at);
	}
	process_vm_writev(child, &mine, 1, &theirs, 1, 0);
}

static int watch(void)
{
	int status;

	if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
		die("waitpid");
	ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL);
	ptrace(PTRACE_CONT, child, NULL, NULL);
	while (waitpid(child, &status, 0) == child) {
		long sig = 0;

		if (WIFEXITED(status))
			return WEXITSTATUS(status);
		if (WIFSIGNALED(status))
			return 128 + WTERMSIG(status);
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8))
			look_at_message();
		else if (WSTOPSIG(status) != SIGTRAP)
			sig = WSTOPSIG(status);
		ptrace(PTRACE_CONT, child, NULL, sig);
	}
	return 2;
}

static void pass_on(int sig)
{
	kill(child, sig);
}

_Noreturn static void hold(uint16_t port)
{
	const struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0)
		die("bind");
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	int i = 1;

	if (argc == 3 && strcmp(argv[1], "hold") == 0)
		hold((uint16_t)atoi(argv[2]));
	for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
		no_nfnetlink |= strcmp(argv[i], "nfnetlink") == 0;
		no_nexthop |= strcmp(argv[i], "nexthop") == 0;
		no_nftables |= strcmp(argv[i], "nftables") == 0;
		no_nftables6 |= strcmp(argv[i], "nftables6") == 0;
	}
	if (i + 1 >= argc)
		return 2;
	if (!no_nexthop && !no_nftables && !no_nftables6) {
		filter();
		execvp(argv[i + 1], argv + i + 1);
		die(argv[i + 1]);
	}
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		filter();
		execvp(argv[i + 1], argv + i + 1);
		die(argv[i + 1]);
	}
	signal(SIGTERM, pass_on);
	return watch();
}

#else

int main(void)
{
	fprintf(stderr, "deny: only on x86-64\n");
	return 77;
}

#endif
