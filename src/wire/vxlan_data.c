/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/vxlan_data.h"

#include <errno.h>

void vxlan_data_format(uint32_t vni, const struct mac *mac, struct text *ret)
{
	char buf[MAC_STRLEN];

	text_add(ret, "{\"VNI\":%u,\"VtepMAC\":\"%s\"}", vni, mac_format(mac, buf));
}

int vxlan_data_decode(const json_t *data, const char *name, struct mac *ret, struct err *err)
{
	const char *text = NULL;
	int r = gojson_get_text(data, "VtepMAC", &text, err);

	if (r < 0)
		return r;
	if (!text || !mac_parse(text, ret))
		return err_set(err, -EINVAL, "%s.VtepMAC is no MAC address", name);
	return 0;
}
