/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/cni_keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Is `key` one of the table's, as a whole or as a part between dots, of which some may be lists? */
static bool is_listed(const char *key)
{
	for (size_t i = 0; i < cni_keys_n; i++) {
		const char *k = cni_keys[i].key, *found = k;
		size_t n = strlen(key);

		while ((found = strstr(found, key))) {
			if ((found == k || strchr(". ", found[-1])) && strchr(".,", found[n]))
				return true;
			found++;
		}
	}
	return false;
}

/* Every key that a decoder asks gojson for stands in the table. Run in the source tree. */
static void decoders_ask_for_nothing_else(void **state)
{
	static const char *const sources[] = {"src/wire/cni_conf.c", "src/wire/cni_flannel.c"};
	static char text[65536];
	int n_keys = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		FILE *f = fopen(sources[i], "r");
		size_t n;

		assert_non_null(f);
		n = fread(text, 1, sizeof(text) - 1, f);
		fclose(f);
		assert_true(n > 0 && n < sizeof(text) - 1);
		text[n] = '\0';
		for (char *p = text; (p = strstr(p, "_get_"));) {
			char key[64] = "";

			if (sscanf(p, "_get_%*[a-z](%*[a-z], \"%63[^\"]\"", key) == 1) {
				n_keys++;
				if (!is_listed(key))
					fail_msg("%s reads \"%s\": put it into src/wire/cni_keys.c",
						 sources[i], key);
			}
			p++;
		}
	}
	assert_true(n_keys > 25);
}

static void rows_are_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < cni_keys_n; i++) {
		assert_true(cni_keys[i].key && cni_keys[i].value && cni_keys[i].help);
		assert_true(i == 0 || cni_keys[i - 1].plugin <= cni_keys[i].plugin);
	}
	for (size_t i = 0; i < CNI_KEYS__COUNT; i++)
		assert_true(cni_keys_plugin_names[i] && cni_keys_plugin_help[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decoders_ask_for_nothing_else),
		cmocka_unit_test(rows_are_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
