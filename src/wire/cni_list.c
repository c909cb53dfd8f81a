/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/cni_list.h"

#include <errno.h>
#include <string.h>

/* `fallback` NULL: none is needed. */
static int add_type(struct cni_list *l, const json_t *o, const char *fallback, struct err *err)
{
	const char *type = fallback;
	int r = gojson_get_text(o, "type", &type, err);

	if (r < 0 || !type)
		return r;
	/* It becomes a file's name. */
	if (!*type || strchr(type, '/'))
		return err_set(err, -EINVAL, "\"type\" is no plugin's name");
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->types[i], type))
			return 0;
	if (l->n == CNI_LIST_TYPES)
		return err_set(err, -EINVAL, "more than %d plugins", CNI_LIST_TYPES);
	l->types[l->n++] = type;
	return 0;
}

/* What `o` delegates to for addresses. */
static int add_ipam(struct cni_list *l, const json_t *o, const char *fallback, struct err *err)
{
	json_t *ipam = NULL;
	int r = gojson_get_object(o, "ipam", &ipam, err);

	return r < 0 ? r : add_type(l, ipam, fallback, err);
}

static int add_plugin(struct cni_list *l, const json_t *plugin, struct err *err)
{
	const char *type = NULL;
	json_t *delegate = NULL;
	int r = gojson_check_object(plugin, err);

	if (r == 0)
		r = gojson_get_text(plugin, "type", &type, err);
	if (r == 0 && !type)
		r = err_set(err, -EINVAL, "a plugin without \"type\"");
	if (r == 0)
		r = add_type(l, plugin, NULL, err);
	if (r < 0 || strcmp(type, "flannel"))
		return r < 0 ? r : add_ipam(l, plugin, NULL, err);
	r = gojson_get_object(plugin, "delegate", &delegate, err);
	if (r == 0)
		r = add_type(l, delegate, "bridge", err);
	return r < 0 ? r : add_ipam(l, delegate, "host-local", err);
}

int cni_list_decode(const json_t *root, struct cni_list *ret, struct err *err)
{
	struct cni_list l = {0};
	const char *name = NULL;
	json_t *plugins = NULL, *plugin;
	size_t i;
	int r = gojson_check_object(root, err);

	if (r == 0)
		r = gojson_get_text(root, "name", &name, err);
	if (r == 0 && (!name || !*name))
		r = err_set(err, -EINVAL, "no \"name\"");
	if (r == 0)
		r = gojson_get_array(root, "plugins", &plugins, err);
	if (r == 0 && json_array_size(plugins) == 0)
		r = err_set(err, -EINVAL, "no \"plugins\"");
	if (r < 0)
		return r;
	json_array_foreach(plugins, i, plugin)
	{
		r = add_plugin(&l, plugin, err);
		if (r < 0)
			return r;
	}
	*ret = l;
	return 0;
}
