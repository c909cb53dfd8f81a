/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"

#define LAST_EXIT_MAX 1024

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* mkdir -p */
static int make_dirs(const char *path, mode_t mode, struct err *err)
{
	char part[512];

	if (!text_copy(part, sizeof(part), path) || !part[0])
		return err_set(err, -ENAMETOOLONG, "directory \"%s\": name too long or empty",
			       path);
	for (char *c = part + 1;; c++) {
		const char end = *c;

		if (end != '/' && end != '\0')
			continue;
		*c = '\0';
		if (mkdir(part, mode) < 0 && errno != EEXIST)
			return err_set(err, -errno, "cannot make directory %s: %s", part,
				       strerror(errno));
		*c = end;
		if (end == '\0')
			return 0;
	}
}

static int open_at(const char *dir, const char *name, int flags, struct err *err)
{
	char path[600];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, flags | O_CLOEXEC, 0644);
	return fd >= 0 ? fd : err_set(err, -errno, "cannot open %s: %s", path, strerror(errno));
}

/* Up to `size - 1` bytes as text; "" if there is nothing to read. */
static void read_text(int fd, char *buf, size_t size)
{
	ssize_t n = pread(fd, buf, size - 1, 0);

	buf[n > 0 ? n : 0] = '\0';
}

int process_lock(struct process *p, const char *run_dir, struct err *err)
{
	char holder[24];
	int fd, n;

	n = make_dirs(run_dir, 0755, err);
	if (n < 0)
		return n;
	fd = open_at(run_dir, "lock", O_RDWR | O_CREAT, err);
	if (fd < 0)
		return fd;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		read_text(fd, holder, sizeof(holder));
		close(fd);
		holder[strcspn(holder, "\n")] = '\0';
		return err_set(err, 1,
			       "another agent (pid %s) holds %s/lock; for a second one on this "
			       "host give --run-dir and --state-dir of its own",
			       holder[0] ? holder : "unknown", run_dir);
	}
	p->lock_fd = fd;
	p->run_dir = run_dir;
	p->started_ms = now_ms();
	return 0;
}

int process_state_dir(const char *state_dir, struct err *err)
{
	if (make_dirs(state_dir, 0755, err) < 0)
		return 1;
	if (access(state_dir, W_OK) < 0)
		return err_set(err, 1, "cannot write to %s: %s", state_dir, strerror(errno));
	return 0;
}

/* A last-exit file is lines of key=value that we wrote; as one line it is the log's own form. */
static void log_last_exit(int fd)
{
	char record[LAST_EXIT_MAX];

	read_text(fd, record, sizeof(record));
	for (char *c = record; *c; c++) {
		if (*c == '\n')
			*c = c[1] ? ' ' : '\0';
	}
	log_info("agent.last_exit", "%s", record);
}

void process_last_exit_log(struct process *p)
{
	char path[600], pid[24];
	struct stat lock;
	int fd = open_at(p->run_dir, "last-exit", O_RDONLY, NULL);
	int n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());

	if (fd >= 0)
		log_last_exit(fd);
	else if (fstat(p->lock_fd, &lock) == 0 && lock.st_size > 0)
		log_warn("agent.last_exit_missing", "cause=\"killed, crashed or power lost\"");
	if (fd >= 0)
		close(fd);
	snprintf(path, sizeof(path), "%s/last-exit", p->run_dir);
	unlink(path);
	/* The pid is for people who meet the lock: what cannot be written is only a worse message. */
	if (ftruncate(p->lock_fd, 0) < 0 || pwrite(p->lock_fd, pid, (size_t)n, 0) != n)
		log_warn("agent.lock_unwritable", "dir=%s why=\"%s\"", p->run_dir, strerror(errno));
}

static void stop_signals(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGINT);
	sigaddset(ret, SIGHUP);
}

int process_signals(struct process *p, struct err *err)
{
	sigset_t set;

	stop_signals(&set);
	p->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (p->signal_fd < 0 || sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_set(err, -errno, "cannot watch signals: %s", strerror(errno));
	return 0;
}

uint64_t process_rss_peak_kib(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_SELF, &usage) < 0 ? 0 : (uint64_t)usage.ru_maxrss;
}

/* comm of a process, escaped: whoever sent the signal chose it. */
static void add_comm(struct text *t, uint32_t pid)
{
	char path[32], comm[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	fd = pid ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0) {
		/* pid 0: the sender is in another pid namespace. */
		text_add(t, "%s", pid ? "gone" : "outside of this container");
		return;
	}
	read_text(fd, comm, sizeof(comm));
	close(fd);
	text_add_escaped(t, comm, strcspn(comm, "\n"));
}

static void write_last_exit(const char *run_dir, const char *record, size_t n)
{
	char from[600], to[600];
	struct err err = {0};
	int fd = open_at(run_dir, "last-exit.new", O_WRONLY | O_CREAT | O_TRUNC, &err);

	snprintf(from, sizeof(from), "%s/last-exit.new", run_dir);
	snprintf(to, sizeof(to), "%s/last-exit", run_dir);
	if (fd < 0 || write(fd, record, n) != (ssize_t)n || rename(from, to) < 0)
		log_warn("agent.last_exit_unwritable", "why=\"%s\"",
			 err.text[0] ? err.text : strerror(errno));
	if (fd >= 0)
		close(fd);
}

void process_stopping(struct process *p)
{
	char record[LAST_EXIT_MAX], comm[80], when[32];
	struct text t = TEXT(record), c = TEXT(comm);
	struct signalfd_siginfo info = {0};
	time_t now = time(NULL);
	struct tm tm;
	sigset_t set;

	if (read(p->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	stop_signals(&set);
	sigprocmask(SIG_UNBLOCK, &set, NULL); /* a second one kills */

	add_comm(&c, info.ssi_pid);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	text_add(&t, "signal=SIG%s\nsender_pid=%u\nsender_comm=\"%s\"\nsender_uid=%u\n",
		 sigabbrev_np((int)info.ssi_signo), info.ssi_pid, comm, info.ssi_uid);
	text_add(&t, "uptime_s=%llu\nrss_peak_kib=%llu\nat=%s\n",
		 (unsigned long long)((now_ms() - p->started_ms) / 1000),
		 (unsigned long long)process_rss_peak_kib(), when);
	write_last_exit(p->run_dir, record, t.len);
	for (char *s = record; *s; s++) {
		if (*s == '\n')
			*s = s[1] ? ' ' : '\0';
	}
	log_info("agent.stop", "%s", record);
}

void process_notify(const char *state)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	socklen_t len;
	int fd;

	if (!path || !text_copy(to.sun_path, sizeof(to.sun_path), path) || !path[0])
		return;
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	if (path[0] == '@')
		to.sun_path[0] = '\0'; /* abstract */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
		   (const struct sockaddr *)&to, len) < 0)
		log_debug("agent.notify_failed", "why=\"%s\"", strerror(errno));
	close(fd);
}

void process_fini(struct process *p)
{
	if (p->lock_fd >= 0)
		close(p->lock_fd);
	if (p->signal_fd >= 0)
		close(p->signal_fd);
	*p = (struct process)PROCESS_INIT;
}
