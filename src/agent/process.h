/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_PROCESS_H
#define AGENT_PROCESS_H
/* The agent as a process on its host: its directories and lock, who stops it, what its last run
 * came to, and the word to systemd.
 *
 * Files in the run directory:
 *	lock		held with flock(2) while an agent lives; its text is the holder's pid
 *	last-exit	written at an orderly end, taken away at the next start; an agent that
 *			finds a lock file but no last-exit knows that its predecessor was killed,
 *			or crashed, or the machine lost power
 */

#include "base/err.h"

struct process {
	const char *run_dir; /* borrowed */
	int lock_fd;
	int signal_fd;
	uint64_t started_ms;
};

#define PROCESS_INIT             \
 {                               \
  .lock_fd = -1, .signal_fd = -1 \
 }

/* Makes the run directory and takes its lock, for which it waits a second: one that was killed may not be gone
 * yet. 0; 1 = an agent holds it, `err` names it; < 0. */
int process_lock(struct process *p, const char *run_dir, struct err *err);

/* Makes the state directory. 1 = it cannot be written, `err` says why: not fatal. */
int process_state_dir(const char *state_dir, struct err *err);

/* Logs what the run before this one came to, and forgets it. Holding the lock. */
void process_last_exit_log(struct process *p);

/* Routes SIGTERM, SIGINT and SIGHUP into p->signal_fd, which becomes readable. */
int process_signals(struct process *p, struct err *err);

/* Reads signal_fd: logs who sent what, uptime and peak memory, and writes last-exit. From here on
 * the same signals kill, whatever we are doing. */
void process_stopping(struct process *p);

/* Tells systemd (NOTIFY_SOCKET), if it asked to be told: "READY=1", "STATUS=…" (sd_notify(3)). */
void process_notify(const char *state);

/* How often systemd shall hear "WATCHDOG=1": half the time after which it would end us (sd_watchdog_enabled(3)).
 * 0 = it does not ask for that. */
uint64_t process_watchdog_ms(void);

/* Resident memory now; 0 = not known. */
uint64_t process_rss_bytes(void);

/* Peak resident memory of this program; 0 = not known. */
uint64_t process_rss_peak_kib(void);

/* Closes what is open; the lock file stays, unlocked. */
void process_fini(struct process *p);

#endif
