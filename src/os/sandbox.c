/* SPDX-License-Identifier: Apache-2.0 */
#include "os/sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/log.h"

/* Nobody's but the libraries': memory, threads' leftovers, random numbers, the end.
 * syscalls (libc): brk mmap munmap mremap mprotect madvise futex getrandom sysinfo restart_syscall
 * syscalls (libc): rt_sigaction rt_sigprocmask rt_sigreturn gettid getpid tgkill exit exit_group
 * syscalls (libc): clock_gettime gettimeofday
 * syscalls (libevent): epoll_create1 epoll_ctl epoll_wait epoll_pwait eventfd2 timerfd_create
 * syscalls (libevent): timerfd_settime pipe2 read write readv writev recvfrom sendto sendmsg fcntl
 * syscalls (libevent): ioctl getsockopt socket connect accept4 close
 * syscalls (libevent): getuid geteuid getgid getegid
 */

#if defined(__x86_64__)
# define ARCH		   AUDIT_ARCH_X86_64
# define RESULT(ucontext_) ((ucontext_)->uc_mcontext.gregs[REG_RAX])
#elif defined(__aarch64__)
# define ARCH		   AUDIT_ARCH_AARCH64
# define RESULT(ucontext_) ((ucontext_)->uc_mcontext.regs[0])
#endif

/* --- what is refused ---------------------------------------------------------------------------- */

static volatile sig_atomic_t n_refused, last_refused;

unsigned sandbox_refused(int *ret_nr)
{
	if (n_refused > 0)
		*ret_nr = last_refused;
	return (unsigned)n_refused;
}

#ifdef ARCH

/* The signal comes for the call that was not made, so it interrupts nothing but that. */
static void on_refused(int signo _unused_, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	int saved = errno;

	last_refused = info->si_syscall;
	n_refused++;
	if ((n_refused & (n_refused - 1)) == 0) /* the 1st, 2nd, 4th, 8th …: it may be a loop */
		log_warn("sandbox.refused",
			 "syscall=%d times=%d hint=\"a fault of ours if nobody broke in: please "
			 "report it; --sandbox=false turns this off\"",
			 info->si_syscall, (int)n_refused);
	errno = saved;
	RESULT(uc) = -ENOSYS;
}

/* What fork() asks clone() for: a signal, and where to note the child's id. */
# define FORK_FLAGS (0xff | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID)

static bool is_listed(const struct sandbox *s, int nr)
{
	for (size_t i = 0; i < s->n_calls; i++)
		if (s->calls[i].nr == nr)
			return true;
	return false;
}

static void add(struct sock_fprog *p, struct sock_filter instruction)
{
	p->filter[p->len++] = instruction;
}

static int filter(const struct sandbox *s, struct err *err)
{
	const struct sigaction action = {.sa_sigaction = on_refused, .sa_flags = SA_SIGINFO};
	struct sock_filter code[2 * SANDBOX_CALLS_MAX + 16];
	struct sock_fprog p = {0, code};

	assert(s->n_calls <= SANDBOX_CALLS_MAX);
	/* Another architecture's numbers mean other calls; x32's have a bit that none of ours has. */
	add(&p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					     offsetof(struct seccomp_data, arch)));
	add(&p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0));
	add(&p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
	add(&p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					     offsetof(struct seccomp_data, nr)));
	for (size_t i = 0; i < s->n_calls; i++) {
		const uint32_t nr = (uint32_t)s->calls[i].nr;

		if (nr == __NR_tgkill || nr == __NR_clone)
			continue;
		add(&p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1));
		add(&p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	}
	if (is_listed(s, __NR_clone)) {
		add(&p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone, 0, 4));
		add(&p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						     offsetof(struct seccomp_data, args)));
		add(&p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K,
						     (uint32_t)~FORK_FLAGS, 1, 0));
		add(&p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
		add(&p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP));
	}
	add(&p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_tgkill, 0, 3));
	/* The low half of the first argument: both machines are little-endian. */
	add(&p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					     offsetof(struct seccomp_data, args)));
	add(&p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)getpid(), 0, 1));
	add(&p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	add(&p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP));
	if (sigaction(SIGSYS, &action, NULL) < 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &p) < 0)
		return err_set(err, SANDBOX_PARTLY, "system calls are not filtered: %s",
			       strerror(errno));
	return 0;
}

#else

static int filter(const struct sandbox *s _unused_, struct err *err)
{
	return err_set(err, SANDBOX_PARTLY, "system calls are not filtered on this machine");
}

#endif

/* --- capabilities ------------------------------------------------------------------------------- */

static int drop(uint64_t keep, struct err *err)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	/* What a program that we executed could get. Not allowed without CAP_SETPCAP: then there is
	 * little to be had, and the filter lets us execute none anyway. */
	for (int cap = 0; cap < 64; cap++)
		if (!(keep & 1ull << cap))
			(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capget, &head, data) < 0)
		return err_set(err, SANDBOX_PARTLY, "capabilities are not dropped: %s",
			       strerror(errno));
	for (int i = 0; i < 2; i++) {
		const uint32_t mask = (uint32_t)(keep >> (32 * i));

		data[i].permitted &= mask;
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &head, data) < 0)
		return err_set(err, SANDBOX_PARTLY, "capabilities are not dropped: %s",
			       strerror(errno));
	return 0;
}

int sandbox_enter(const struct sandbox *s, struct err *err)
{
	int r = drop(s->capabilities, err);

	/* Before the filter, which needs it or CAP_SYS_ADMIN. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = err_set(err, SANDBOX_PARTLY, "new privileges are not ruled out: %s",
			    strerror(errno));
	if (!s->calls)
		return r;
	return r == 0 ? filter(s, err) : (filter(s, NULL), r);
}
