/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/lease_record.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/file.h"

static char dir[] = "/tmp/test_lease_record_XXXXXX", path[80];

static int setup(void **state _unused_)
{
	strcpy(dir + sizeof(dir) - 7, "XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/" LEASE_RECORD_NAME, dir);
	return 0;
}

static int teardown(void **state _unused_)
{
	unlink(path);
	return rmdir(dir);
}

static struct opts opts_of(const char *flag)
{
	char name[] = "x", *argv[] = {name, (char *)(uintptr_t)flag, NULL};
	struct opts o;

	assert_int_equal(opts_parse(flag ? 2 : 1, argv, &o, NULL), 0);
	o.state_dir = dir;
	return o;
}

static struct lease lease(void)
{
	struct lease l = {0};

	assert_true(cidr_parse("10.244.7.0/24", &l.subnet));
	assert_true(ip_parse("192.168.0.7", &l.public_ip));
	return l;
}

static struct lease dual_lease(void)
{
	struct lease l = lease();

	assert_true(cidr_parse("fd00:10:244:7::/64", &l.subnet6));
	return l;
}

static void what_was_saved_is_loaded(void **state _unused_)
{
	struct opts agent = opts_of("--etcd-endpoints=http://10.0.0.1:2379,http://10.0.0.2:2379");
	struct opts o = opts_of(NULL);
	struct lease_record record;
	const struct lease l = lease();

	agent.etcd_prefix = "/my/net";
	agent.etcd_certfile = "/c.pem";
	agent.etcd_username = "me";
	agent.etcd_password = "secret";
	agent.etcd_password_file = "/secret";
	lease_record_save(&agent, &l);
	assert_int_equal(lease_record_load(&o, &record, NULL), 0);
	assert_string_equal(o.etcd_endpoints, agent.etcd_endpoints);
	assert_string_equal(o.etcd_prefix, "/my/net");
	assert_string_equal(o.etcd_cafile, "");
	assert_string_equal(o.etcd_certfile, "/c.pem");
	assert_string_equal(o.etcd_username, "me");
	assert_string_equal(o.etcd_password_file, "/secret");
	assert_string_equal(o.etcd_password, ""); /* never written down */
	assert_string_equal(record.key, "10.244.7.0-24");
	assert_true(ip_eq(&record.public_ip, &l.public_ip));
	/* What is given now goes before that. */
	o = opts_of("--etcd-prefix=/other");
	assert_int_equal(lease_record_load(&o, &record, NULL), 0);
	assert_string_equal(o.etcd_endpoints, agent.etcd_endpoints);
	assert_string_equal(o.etcd_prefix, "/other");
}

/* What is awkward in a shell: separators, blanks, what would be run or replaced, quotes. */
#define AWKWARD "/a&b c;$(touch x)`x`\"$HOME\"it's'"

static void a_shell_reads_the_same(void **state _unused_)
{
	static const char script[] =
		"set -eu; . \"$1\"; printf '%s\\n' \"$LEASE\" \"$FLANNELD_ETCD_PREFIX\" "
		"\"$FLANNELD_ETCD_CAFILE\" \"[$FLANNELD_ETCD_USERNAME]\" \"$PUBLIC_IP\"";
	const struct lease l = dual_lease();
	struct opts agent = opts_of("--etcd-prefix=" AWKWARD), o = opts_of(NULL);
	struct lease_record record;
	char command[800], said[600];
	size_t n;
	FILE *sh;

	agent.etcd_cafile = "'";
	lease_record_save(&agent, &l);
	setenv("SCRIPT", script, 1);
	snprintf(command, sizeof(command), "sh -c \"$SCRIPT\" sh %s 2>&1", path);
	sh = popen(command, "r"); /* NOLINT(cert-env33-c): a shell is what it is about */
	assert_non_null(sh);
	n = fread(said, 1, sizeof(said) - 1, sh);
	said[n] = '\0';
	assert_string_equal(said,
			    "10.244.7.0-24&fd00:10:244:7::-64\n" AWKWARD "\n'\n[]\n192.168.0.7\n");
	assert_int_equal(pclose(sh), 0);
	/* As we do. */
	assert_int_equal(lease_record_load(&o, &record, NULL), 0);
	assert_string_equal(record.key, "10.244.7.0-24&fd00:10:244:7::-64");
	assert_string_equal(o.etcd_prefix, AWKWARD);
	assert_string_equal(o.etcd_cafile, "'");
}

/* Written before anything was quoted. */
static void without_quotes_too(void **state _unused_)
{
	struct opts o = opts_of(NULL);
	struct lease_record record;

	assert_int_equal(file_replace(path,
				      "FLANNELD_ETCD_PREFIX=/it's\nFLANNELD_ETCD_CAFILE=\n"
				      "LEASE=10.244.7.0-24&fd00:10:244:7::-64\n"
				      "PUBLIC_IP=192.168.0.7\n",
				      NULL),
			 0);
	assert_int_equal(lease_record_load(&o, &record, NULL), 0);
	assert_string_equal(record.key, "10.244.7.0-24&fd00:10:244:7::-64");
	assert_string_equal(o.etcd_prefix, "/it's");
	assert_string_equal(o.etcd_cafile, "");
}

static void written_only_if_it_changed(void **state _unused_)
{
	const struct opts o = opts_of(NULL);
	struct lease l = lease();
	struct stat first, now;

	lease_record_save(&o, &l);
	assert_int_equal(stat(path, &first), 0);
	lease_record_save(&o, &l);
	assert_int_equal(stat(path, &now), 0);
	assert_int_equal(now.st_ino, first.st_ino); /* a replaced file is another one */
	assert_true(ip_parse("192.168.0.8", &l.public_ip));
	lease_record_save(&o, &l);
	assert_int_equal(stat(path, &now), 0);
	assert_int_not_equal(now.st_ino, first.st_ino);
	/* A Node's is no word of an etcd's. */
	first = now;
	l.node = 7;
	assert_true(ip_parse("192.168.0.9", &l.public_ip));
	lease_record_save(&o, &l);
	assert_int_equal(stat(path, &now), 0);
	assert_int_equal(now.st_ino, first.st_ino);
}

static void what_is_no_record_is_refused(void **state _unused_)
{
	static const char *const texts[] = {
		"",
		"LEASE=10.244.7.0-24\n",
		"PUBLIC_IP=192.168.0.7\n",
		"LEASE=10.244.7.0-24\nPUBLIC_IP=192.168.0\n",
		"LEASE=\nPUBLIC_IP=192.168.0.7\n",
		"LEASE='10.244.7.0-24\nPUBLIC_IP='192.168.0.7'\n",
		"LEASE=../config\nPUBLIC_IP=192.168.0.7\n",
		"LEASE=10.244.7.0-24 x\nPUBLIC_IP=192.168.0.7\n",
		"FLANNELD_IP_MASQ=perhaps\nLEASE=10.244.7.0-24\nPUBLIC_IP=192.168.0.7\n",
	};
	struct lease_record record;
	struct opts o = opts_of(NULL);
	struct err err;

	assert_int_equal(lease_record_load(&o, &record, &err), -ENOENT);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(file_replace(path, texts[i], &err), 0);
		assert_int_equal(lease_record_load(&o, &record, &err), -EINVAL);
		assert_non_null(strstr(err.text, path));
	}
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(what_was_saved_is_loaded),	 T(a_shell_reads_the_same),
		T(without_quotes_too),		 T(written_only_if_it_changed),
		T(what_is_no_record_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
