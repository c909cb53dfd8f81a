/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_CNI_FILES_H
#define AGENT_CNI_FILES_H
/* What a container runtime needs of us: the plugins in --cni-bin-dir, the conflist in --cni-conf-dir.
 *
 * Plugins are complete copies of loden-cni, which lies beside this program, under each of their names. "flannel" is ours,
 * whoever's was there. bridge, host-local and loopback come with distributions too; theirs stay, unless --cni-replace.
 * A plugin of another version of ours is known by its mark (os/install.h). The conflist is a copy of --cni-conf-file, if a
 * runtime could use that.
 */

#include "agent/opts.h"
#include "os/file.h"
#include "os/install.h"

#define CNI_FILES_CONFLIST "10-flannel.conflist"
#define CNI_FILES_PLUGINS  4

struct cni_files {
	const struct opts *opts;
	char program[FILE_PATH_SIZE]; /* loden-cni */
	/* Called for each file that was put in place; `why` is of install_found_names. */
	void (*fn)(const char *path, const char *why);

	struct {
		struct file_id there, program;
		bool fine;
	} seen[CNI_FILES_PLUGINS]; /* what did not change since is not read again */
};

/* The table of what is put in place: pure. */
bool cni_files_is_to_put(enum install_found found, bool always_ours, bool replace);

/* False: where this program lies is not to be found out. */
bool cni_files_init(struct cni_files *f, const struct opts *o, struct err *err);

/* One pass. Each appends a line to `problems` for what could not be done, or will not work. */
void cni_files_put_plugins(struct cni_files *f, struct text *problems);
/* `put` false: it is only looked at. */
void cni_files_put_conflist(struct cni_files *f, bool put, struct text *problems);

#endif
