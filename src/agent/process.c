/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "os/file.h"

/* syscalls: openat flock clock_nanosleep newfstatat fstat ftruncate pwrite64 access faccessat */
/* syscalls: signalfd4 rt_sigprocmask read getpid socket sendto close */

#define LAST_EXIT_MAX 1024
#define LOCK_TRIES    50 /* a fiftieth of a second apart */
#define PATH_SIZE     600

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static const char *in_dir(const char *dir, const char *name, char path[PATH_SIZE])
{
	text_add(&(struct text){.buf = path, .size_bytes = PATH_SIZE}, "%s/%s", dir, name);
	return path;
}

/* Whoever was killed holds it until the kernel has cleared away all of it: soon, but not at once. */
static int lock_soon(int fd)
{
	const struct timespec pause = {.tv_nsec = 1000000000 / LOCK_TRIES};
	int r = flock(fd, LOCK_EX | LOCK_NB);

	for (int i = 0; i < LOCK_TRIES && r < 0 && errno == EWOULDBLOCK; i++) {
		nanosleep(&pause, NULL);
		r = flock(fd, LOCK_EX | LOCK_NB);
	}
	return r;
}

int process_lock(struct process *p, const char *run_dir, struct err *err)
{
	char path[PATH_SIZE], holder[24] = "";
	int fd, r;

	p->run_dir = run_dir;
	p->started_ms = now_ms();
	in_dir(run_dir, "lock", path);
	r = file_make_parents(path, err);
	if (r < 0)
		return r;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_set(err, -errno, "cannot open %s: %s", path, strerror(errno));
	if (lock_soon(fd) < 0) {
		close(fd);
		file_read(path, holder, sizeof(holder), NULL);
		holder[strspn(holder, "0123456789")] = '\0';
		return err_set(err, 1,
			       "another agent (pid %s) holds %s; for a second one on this host "
			       "give --run-dir and --state-dir of its own",
			       holder[0] ? holder : "unknown", path);
	}
	p->lock_fd = fd;
	return 0;
}

int process_state_dir(const char *state_dir, struct err *err)
{
	char path[PATH_SIZE];

	if (file_make_parents(in_dir(state_dir, "", path), err) < 0)
		return 1;
	if (access(state_dir, W_OK) < 0)
		return err_set(err, 1, "cannot write to %s: %s", state_dir, strerror(errno));
	return 0;
}

/* The record is lines of key=value that we wrote; as one line it is the log's own form. */
static void join_lines(char *record)
{
	for (; *record; record++) {
		if (*record == '\n')
			*record = record[1] ? ' ' : '\0';
	}
}

void process_last_exit_log(struct process *p)
{
	char path[PATH_SIZE], record[LAST_EXIT_MAX], pid[24];
	struct stat lock;
	int n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());

	in_dir(p->run_dir, "last-exit", path);
	if (file_read(path, record, sizeof(record), NULL) == 0) {
		join_lines(record);
		log_info("agent.last_exit", "%s", record);
	} else if (fstat(p->lock_fd, &lock) == 0 && lock.st_size > 0) {
		log_warn("agent.last_exit_missing", "cause=\"killed, crashed or power lost\"");
	}
	file_remove(path, NULL);
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

uint64_t process_rss_bytes(void)
{
	unsigned long long size, resident; /* in pages, proc(5) */
	char line[128];

	if (file_read("/proc/self/statm", line, sizeof(line), NULL) != 0 ||
	    sscanf(line, "%llu %llu", &size, &resident) != 2)
		return 0;
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t process_rss_peak_kib(void)
{
	unsigned long long peak_kib;
	char text[4096];
	const char *peak;

	/* Not getrusage(2): its peak goes on across execve(2), from whatever started us. */
	if (file_read("/proc/self/status", text, sizeof(text), NULL) != 0)
		return 0;
	peak = strstr(text, "\nVmHWM:");
	return peak && sscanf(peak, " VmHWM: %llu", &peak_kib) == 1 ? peak_kib : 0;
}

/* comm of a process, escaped: whoever sent the signal chose it. */
static void add_comm(struct text *t, uint32_t pid)
{
	char path[32], comm[32];

	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	if (!pid) /* the sender is in another pid namespace */
		text_add(t, "outside of this container");
	else if (file_read(path, comm, sizeof(comm), NULL) != 0)
		text_add(t, "gone");
	else
		text_add_escaped(t, comm, strcspn(comm, "\n"));
}

void process_stopping(struct process *p)
{
	char path[PATH_SIZE], record[LAST_EXIT_MAX], comm[80], when[32];
	struct text t = TEXT(record), c = TEXT(comm);
	struct signalfd_siginfo info = {0};
	struct err err;
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
	if (file_replace(in_dir(p->run_dir, "last-exit", path), record, &err) < 0)
		log_warn("agent.last_exit_unwritable", "why=\"%s\"", err.text);
	join_lines(record);
	log_info("agent.stop", "%s", record);
	process_notify("STOPPING=1");
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

/* A whole number, 0 for anything else. */
static uint64_t number_of(const char *name)
{
	const char *text = getenv(name);
	char *end;
	unsigned long long n;

	if (!text || text[0] < '0' || text[0] > '9')
		return 0;
	errno = 0;
	n = strtoull(text, &end, 10);
	return errno || *end ? 0 : n;
}

uint64_t process_watchdog_ms(void)
{
	/* WATCHDOG_PID keeps a child from answering for its parent. */
	if (getenv("WATCHDOG_PID") && number_of("WATCHDOG_PID") != (uint64_t)getpid())
		return 0;
	return number_of("WATCHDOG_USEC") / 1000 / 2;
}

void process_fini(struct process *p)
{
	if (p->lock_fd >= 0)
		close(p->lock_fd);
	if (p->signal_fd >= 0)
		close(p->signal_fd);
	*p = (struct process)PROCESS_INIT;
}
