/* SPDX-License-Identifier: Apache-2.0 */
/* bench-cni OURS PEER PODS: latency of CNI ADD and DEL, exec to exit, as a runtime calls plugins.
 *
 * OURS holds our plugins, PEER the reference's. If PEER has a `flannel`, too, that is called; it cannot
 * be had from a package registry, so else its `bridge` and `host-local` are, with what flannel's
 * plugin would hand them (the peer is then spared one process and one fsync()). One call of each in
 * turn, so that what else the machine does hits both; before each DEL a pause, so that neither pays
 * for what the kernel still does for the other. Each side has a bridge, a subnet and a directory of
 * its own. To be run in network and mount namespaces of its own with a tmpfs on /run that has a
 * subnet-a.env and a subnet-b.env. Prints one line of JSON a measurement.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PODS_MAX 250 /* a /24 has room for 253 */
#define PAUSE_US 40000
#define NETNS	 "/run/netns/%c%d"

struct side {
	const char *dir, *plugin;
	char conf[1024];
	double ms[PODS_MAX];
};

static void die(const char *what)
{
	fprintf(stderr, "bench-cni: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* A namespace bound to a path, as runtimes make them. */
static void make_netns(char side, int i)
{
	int host = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), fd;
	char path[64];

	snprintf(path, sizeof(path), NETNS, side, i);
	fd = open(path, O_CREAT | O_RDONLY | O_CLOEXEC, 0444);
	if (host < 0 || fd < 0)
		die(path);
	close(fd);
	if (unshare(CLONE_NEWNET) < 0 ||
	    mount("/proc/self/ns/net", path, NULL, MS_BIND, NULL) < 0 ||
	    setns(host, CLONE_NEWNET) < 0)
		die("unshare");
	close(host);
}

static pid_t spawn(char **argv, char **env, int in, int out)
{
	static int null = -1;
	pid_t pid;

	if (null < 0)
		null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	pid = vfork();
	if (pid == 0) {
		dup2(in, STDIN_FILENO);
		dup2(out, STDOUT_FILENO);
		dup2(null, STDERR_FILENO); /* flannel's tells there what it hands on */
		execve(argv[0], argv, env);
		_exit(127);
	}
	return pid;
}

/* One call; its time from before the fork to after the wait, output read. */
static double call(const struct side *s, char side, const char *verb, int i)
{
	char command[32], id[96], netns[96], path[256], prog[256], out[65536];
	char ifname[] = "CNI_IFNAME=eth0", args[] = "CNI_ARGS=";
	char *env[] = {command, id, netns, ifname, path, args, NULL};
	char *argv[] = {prog, NULL};
	int in_fd[2], out_fd[2], status;
	size_t len = 0;
	double start;
	ssize_t n;
	pid_t pid;

	snprintf(command, sizeof(command), "CNI_COMMAND=%s", verb);
	snprintf(id, sizeof(id), "CNI_CONTAINERID=%064d", i);
	snprintf(netns, sizeof(netns), "CNI_NETNS=" NETNS, side, i);
	snprintf(path, sizeof(path), "CNI_PATH=%s", s->dir);
	snprintf(prog, sizeof(prog), "%s/%s", s->dir, s->plugin);
	start = now_ms();
	if (pipe2(in_fd, O_CLOEXEC) < 0 || pipe2(out_fd, O_CLOEXEC) < 0)
		die("pipe");
	pid = spawn(argv, env, in_fd[0], out_fd[1]);
	close(in_fd[0]);
	close(out_fd[1]);
	if (write(in_fd[1], s->conf, strlen(s->conf)) < 0)
		die("write");
	close(in_fd[1]);
	while ((n = read(out_fd[0], out + len, sizeof(out) - 1 - len)) > 0)
		len += (size_t)n;
	out[len] = '\0';
	close(out_fd[0]);
	waitpid(pid, &status, 0);
	start = now_ms() - start;
	if (status != 0) {
		fprintf(stderr, "bench-cni: %s %s failed: %s\n", prog, verb, out);
		exit(1);
	}
	return start;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print(const char *verb, const char *who, double *ms, int n)
{
	qsort(ms, (size_t)n, sizeof(*ms), by_value);
	printf("{\"what\":\"%s\",\"who\":\"%s\",\"pods\":%d,\"p50_ms\":%.3f,\"p99_ms\":%.3f,"
	       "\"min_ms\":%.3f,\"max_ms\":%.3f}\n",
	       verb, who, n, ms[n / 2], ms[n * 99 / 100], ms[0], ms[n - 1]);
}

static void run(struct side sides[2], const char *verb, int n)
{
	static const char letters[] = "ab";

	for (int i = 0; i < n; i++) {
		for (int j = 0; j < 2; j++) {
			/* Each goes first every other time. */
			int k = (i + j) % 2;

			usleep(*verb == 'D' ? PAUSE_US : 1000);
			sides[k].ms[i] = call(&sides[k], letters[k], verb, i);
		}
	}
	print(verb, "ours", sides[0].ms, n);
	print(verb, sides[1].plugin, sides[1].ms, n);
}

static void use_flannel(struct side *s, const char *dir, char letter)
{
	s->dir = dir;
	s->plugin = "flannel";
	snprintf(s->conf, sizeof(s->conf),
		 "{\"cniVersion\":\"0.3.1\",\"name\":\"cbr%c\",\"type\":\"flannel\",\"subnetFile\":"
		 "\"/run/subnet-%c.env\",\"dataDir\":\"/run/flannel-%c\",\"ipam\":{\"dataDir\":"
		 "\"/run/%c\"},\"delegate\":{\"bridge\":\"cni%c\",\"hairpinMode\":true,"
		 "\"isDefaultGateway\":true}}",
		 letter, letter, letter, letter, letter);
}

/* What flannel's plugin hands to bridge. */
static void use_bridge(struct side *s)
{
	s->plugin = "bridge";
	snprintf(
		s->conf, sizeof(s->conf),
		"{\"cniVersion\":\"0.3.1\",\"name\":\"cbrb\",\"type\":\"bridge\",\"bridge\":\"cnib\","
		"\"hairpinMode\":true,\"isDefaultGateway\":true,\"isGateway\":true,\"ipMasq\":false,"
		"\"mtu\":1450,\"ipam\":{\"type\":\"host-local\",\"dataDir\":\"/run/b\",\"ranges\":"
		"[[{\"subnet\":\"10.244.2.0/24\"}]],\"routes\":[{\"dst\":\"10.244.0.0/16\"}]}}");
}

int main(int argc, char **argv)
{
	static struct side sides[2];
	char path[256];
	int n = argc == 4 ? atoi(argv[3]) : 0;

	if (n < 1 || n > PODS_MAX) {
		fprintf(stderr, "usage: bench-cni OURS PEER PODS (1 to %d)\n", PODS_MAX);
		return 2;
	}
	use_flannel(&sides[0], argv[1], 'a');
	use_flannel(&sides[1], argv[2], 'b');
	snprintf(path, sizeof(path), "%s/flannel", argv[2]);
	if (access(path, X_OK) < 0)
		use_bridge(&sides[1]);
	mkdir("/run/netns", 0755);
	for (int i = 0; i < n; i++) {
		make_netns('a', i);
		make_netns('b', i);
	}
	run(sides, "ADD", n);
	run(sides, "DEL", n);
	return 0;
}
