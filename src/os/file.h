/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_FILE_H
#define OS_FILE_H
/* Files: read whole, replace atomically, write a kernel switch. */

#include "base/err.h"

/* Reads a text file into buf, terminated. 0; FILE_LONGER if it does not fit (buf holds its
 * beginning); -ENOENT and the like. */
#define FILE_LONGER 1
int file_read(const char *path, char *buf, size_t size_bytes, struct err *err);

/* Replaces a file, or creates it with mode 0644 and the missing directories above it (0755): readers
 * see the old text or the new one, never a part, and after a crash either. An existing file's mode
 * is kept. */
int file_replace(const char *path, const char *text, struct err *err);

/* The same for a file that is made in pieces: write, then commit, or drop. */
#define FILE_PATH_SIZE 512

struct file_new {
	int fd;
	char path[FILE_PATH_SIZE], temp[FILE_PATH_SIZE];
};

int file_new_open(const char *path, struct file_new *ret, struct err *err);
/* 0 or -errno; takes a struct file_new. */
int file_new_write(void *file_new, const void *bytes, size_t n);
/* On disk and in its place; or dropped. */
int file_new_commit(struct file_new *f, struct err *err);
void file_new_drop(struct file_new *f);

/* Reads a regular file of at most limit_bytes into memory that the caller frees. -EFBIG, or what open
 * and read say. */
int file_load(const char *path, size_t limit_bytes, uint8_t **ret, size_t *ret_n, struct err *err);

/* Makes the missing directories above `path`, mode 0755. */
int file_make_parents(const char *path, struct err *err);

/* Writes into what is there, with one write(): for files of /proc and /sys. */
int file_write(const char *path, const char *text, struct err *err);

/* Creates a file with its text in one step: nobody ever sees a part of it, also if we are killed.
 * FILE_EXISTS if there is one of that name. */
#define FILE_EXISTS 2
int file_create(int dir_fd, const char *name, unsigned mode, const char *text, struct err *err);

/* A directory and those above it that are missing. One that is there keeps its mode. */
int file_make_dir(const char *path, unsigned mode, struct err *err);

/* What tells one content of a path from the next, as far as that can be told without reading it: files that are
 * replaced, written to, or reached through another link. All zeroes = there is none. */
struct file_id {
	uint64_t device, inode, size;
	int64_t changed_ns;
};

struct file_id file_identify(const char *path);
bool file_id_eq(const struct file_id *a, const struct file_id *b);

/* Gone, or never there, is fine. */
int file_remove(const char *path, struct err *err);

#endif
