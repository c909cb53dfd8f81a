/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of the API server. First byte: mode (its remainder by 3) and, above that, size of the pieces. The
 * same comes out however they are cut, and what comes out keeps its promises: terminated, printable where it
 * says so, fit for leases.
 */

#include "wire/kube_read.h"

#include <stdlib.h>
#include <string.h>

#include "wire/kube_lease.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PREFIX "flannel.alpha.coreos.com/"

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void must_be_printable(const char *s)
{
	for (; *s; s++)
		must(*s >= 0x20 && *s <= 0x7e);
}

/* FNV-1a over what the reader tells. */
static void mix(uint64_t *sum, const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		*sum = (*sum ^ ((const uint8_t *)p)[i]) * 0x100000001b3;
}

static void mix_text(uint64_t *sum, const char *s, size_t size)
{
	const size_t n = strnlen(s, size);

	must(n < size);
	mix(sum, s, n + 1);
}

static void lease(const struct kube_node *n, uint64_t *sum)
{
	struct err err = {""};
	struct lease l;
	const int r = kube_lease_decode(n, &l, &err);

	mix(sum, &r, sizeof(r));
	must_be_printable(err.text);
	if (r == KUBE_LEASE_HALF || r == KUBE_LEASE_WHOLE)
		must(cidr_is_set(&l.subnet) || cidr_is_set(&l.subnet6));
	if (r != KUBE_LEASE_WHOLE && r != KUBE_LEASE_IGNORED)
		must(err.text[0]);
}

static void node(const struct kube_node *n, uint64_t *sum)
{
	mix_text(sum, n->name, sizeof(n->name));
	mix_text(sum, n->uid, sizeof(n->uid));
	mix_text(sum, n->resource_version, sizeof(n->resource_version));
	mix_text(sum, n->pod_cidr, sizeof(n->pod_cidr));
	mix_text(sum, n->pod_cidrs[0], sizeof(n->pod_cidrs[0]));
	mix_text(sum, n->pod_cidrs[1], sizeof(n->pod_cidrs[1]));
	mix(sum, &n->created_s, sizeof(n->created_s));
	mix(sum, &n->n_pod_cidrs, sizeof(n->n_pod_cidrs));
	must(n->anns.present >> KUBE_ANN__COUNT == 0);
	must((n->anns.cut & ~n->anns.present) == 0);
	for (unsigned i = 0; i < KUBE_ANN__COUNT; i++)
		mix_text(sum, n->anns.value[i], sizeof(n->anns.value[i]));
	mix_text(sum, n->network_unavailable.status, sizeof(n->network_unavailable.status));
	mix_text(sum, n->network_unavailable.reason, sizeof(n->network_unavailable.reason));
	mix_text(sum, n->network_unavailable.message, sizeof(n->network_unavailable.message));
	lease(n, sum);
}

static void told(const struct kube_read *r, int got, const struct err *err, uint64_t *sum)
{
	mix(sum, &got, sizeof(got));
	switch ((enum kube_read_type)got) {
	case KUBE_READ_NODE:
		must(r->node.name[0] && r->node.uid[0]);
		mix(sum, &r->event, sizeof(r->event));
		node(&r->node, sum);
		break;
	case KUBE_READ_BOOKMARK:
		must(r->node.resource_version[0]);
		node(&r->node, sum);
		break;
	case KUBE_READ_STATUS:
		must_be_printable(r->status.reason);
		must_be_printable(r->status.message);
		mix_text(sum, r->status.message, sizeof(r->status.message));
		break;
	case KUBE_READ_LIST_END:
		mix_text(sum, r->list.resource_version, sizeof(r->list.resource_version));
		mix_text(sum, r->list.continue_token, sizeof(r->list.continue_token));
		break;
	case KUBE_READ_SERVER:
		mix_text(sum, r->server, sizeof(r->server));
		break;
	case KUBE_READ_BAD:
		must(err->text[0]);
		mix_text(sum, err->text, sizeof(err->text));
		break;
	}
}

static uint64_t read_body(enum kube_read_mode mode, struct pb_bytes body, size_t step)
{
	static struct kube_read r;
	uint64_t sum = 0;
	int got = 0;

	kube_read_init(&r, mode, PREFIX);
	for (size_t at = 0; at < body.n && got >= 0; at += step) {
		struct pb_bytes piece = {body.p + at, MIN(step, body.n - at)};
		struct err err = {""};

		while ((got = kube_read_next(&r, &piece, &err)) > 0)
			told(&r, got, &err, &sum);
		must(got < 0 || piece.n == 0);
		must_be_printable(err.text);
		must(mode != KUBE_READ_MODE_FAILURE || got == 0);
	}
	if (got == 0)
		got = kube_read_end(&r, NULL);
	must(mode != KUBE_READ_MODE_FAILURE || got == KUBE_READ_STATUS);
	told(&r, got, NULL, &sum);
	mix(&sum, &r.n_unknown, sizeof(r.n_unknown));
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum kube_read_mode modes[] = {
		KUBE_READ_MODE_OBJECT,
		KUBE_READ_MODE_WATCH,
		KUBE_READ_MODE_FAILURE,
	};
	enum kube_read_mode mode;
	struct pb_bytes body;

	if (size < 2)
		return 0;
	mode = modes[data[0] % ARRAY_SIZE(modes)];
	body = (struct pb_bytes){data + 1, size - 1};
	must(read_body(mode, body, body.n) ==
	     read_body(mode, body, data[0] / ARRAY_SIZE(modes) + 1u));
	return 0;
}
