/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/status.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* --- JSON --------------------------------------------------------------------------------------- */

static json_t *ip_json(const struct ip *ip)
{
	char buf[IP_STRLEN];

	return ip_is_set(ip) ? json_string(ip_format(ip, buf)) : json_null();
}

static json_t *cidr_json(const struct cidr *c)
{
	char buf[CIDR_STRLEN];

	return cidr_is_set(c) ? json_string(cidr_format(c, buf)) : json_null();
}

static json_t *mac_json(const struct mac *m)
{
	char buf[MAC_STRLEN];

	return mac_is_set(m) ? json_string(mac_format(m, buf)) : json_null();
}

/* Not every byte sequence is a JSON string: what others chose goes in escaped. */
static json_t *foreign_json(const char *s)
{
	char buf[4 * sizeof(((struct culprit *)0)->unit) + 1];
	struct text t = TEXT(buf);

	buf[0] = '\0';
	text_add_escaped(&t, s, strlen(s));
	return json_string(buf);
}

static json_t *age_json(const struct status *s, uint64_t at_ms)
{
	return at_ms ? json_integer((json_int_t)(s->now_ms - at_ms)) : json_null();
}

static json_t *lines_json(const char *text)
{
	json_t *lines = json_array();

	while (*text) {
		const size_t n = strcspn(text, "\n");

		if (n)
			json_array_append_new(lines, json_stringn(text, n));
		text += n + (text[n] == '\n');
	}
	return lines;
}

static json_t *uplink_json(const struct uplink *u)
{
	if (!u->ifindex)
		return json_null();
	return json_pack("{s:o, s:i, s:b, s:o, s:o, s:o, s:o}", "name", foreign_json(u->name),
			 "mtu", (int)u->mtu_bytes, "up", u->up, "ip", ip_json(&u->ip), "ip6",
			 ip_json(&u->ip6), "public_ip", ip_json(&u->public_ip), "public_ip6",
			 ip_json(&u->public_ip6));
}

static json_t *backend_json(const struct status *s)
{
	if (!s->have_config)
		return json_null();
	return json_pack("{s:s, s:i, s:i, s:i, s:o, s:o, s:o}", "type",
			 backend_type_names[s->config.backend], "vni", (int)s->config.vxlan.vni,
			 "port", (int)s->config.vxlan.port, "mtu", (int)s->overlay_mtu_bytes,
			 "vtep_mac", mac_json(&s->vtep_mac), "mtu6",
			 s->overlay_mtu6_bytes ? json_integer(s->overlay_mtu6_bytes) : json_null(),
			 "vtep_mac6", mac_json(&s->vtep_mac6));
}

static json_t *lease_json(const struct status *s)
{
	if (!s->have_lease)
		return json_null();
	return json_pack("{s:o, s:o, s:o}", "subnet", cidr_json(&s->own.subnet), "subnet6",
			 cidr_json(&s->own.subnet6), "expires_s",
			 s->lease_expires_s < 0 ? json_null() : json_integer(s->lease_expires_s));
}

static json_t *recent_json(const struct status *s)
{
	json_t *all = json_array();

	for (size_t i = 0; i < s->n_recent; i++) {
		const struct repair *r = &s->recent[i];

		json_array_append_new(all, json_pack("{s:o, s:i, s:s, s:i, s:o, s:o}", "age_ms",
						     age_json(s, r->at_ms), "ops", (int)r->n_ops,
						     "what", r->what, "pid", (int)r->who.pid,
						     "comm", foreign_json(r->who.comm), "unit",
						     foreign_json(r->who.unit)));
	}
	return all;
}

/* Those that there were: nobody counts what did not happen. */
static json_t *heals_json(const struct status *s)
{
	json_t *all = json_array();

	for (size_t i = 0; i < s->n_heals; i++) {
		const struct status_heals *h = &s->heals[i];

		if (h->n)
			json_array_append_new(all, json_pack("{s:s, s:o, s:I}", "kind",
							     object_kind_names[h->kind], "by",
							     foreign_json(h->actor), "n",
							     (json_int_t)h->n));
	}
	return all;
}

static json_t *contested_json(const struct status *s)
{
	json_t *o = json_object();

	for (size_t i = 0; i < OBJECT__COUNT; i++) {
		if (s->n_contested[i])
			json_object_set_new(o, object_kind_names[i],
					    json_integer((json_int_t)s->n_contested[i]));
	}
	return o;
}

static json_t *requests_json(const struct status_requests *r)
{
	json_t *o = json_object();
	char code[16];

	for (size_t i = 0; i < r->n; i++) {
		snprintf(code, sizeof(code), "%u", r->of[i].code);
		json_object_set_new(o, r->of[i].code ? code : "none",
				    json_integer((json_int_t)r->of[i].n));
	}
	return o;
}

static json_t *family_json(const struct status_family *f)
{
	return json_pack("{s:b, s:b, s:s}", "enabled", f->enabled, "works", f->works, "problem",
			 f->problem);
}

static void set(json_t *o, const char *key, json_t *value)
{
	json_object_set_new(o, key, value);
}

char *status_encode(const struct status *s)
{
	json_t *o = json_object();
	char *text;

	set(o, "ready", json_boolean(s->ready == READY_YES));
	set(o, "problem", json_string(s->problem));
	set(o, "notes", lines_json(s->notes));
	set(o, "network",
	    s->have_config && s->config.ipv4 ? cidr_json(&s->config.network) : json_null());
	set(o, "network6",
	    s->have_config && s->config.ipv6 ? cidr_json(&s->config.network6) : json_null());
	set(o, "families",
	    json_pack("{s:o, s:o}", "ipv4", family_json(&s->families[FAMILY_V4]), "ipv6",
		      family_json(&s->families[FAMILY_V6])));
	set(o, "lease", lease_json(s));
	set(o, "uplink", uplink_json(&s->uplink));
	set(o, "backend", backend_json(s));
	set(o, "source",
	    json_pack("{s:s, s:b, s:o}", "name", s->source, "up", s->source_up, "seen_age_ms",
		      age_json(s, s->source_seen_ms)));
	set(o, "from_disk_of", s->recalled[0] ? json_string(s->recalled) : json_null());
	set(o, "peers", json_integer((json_int_t)s->n_peers));
	set(o, "peers_verified", json_integer((json_int_t)s->n_verified));
	set(o, "peers_refused", json_integer((json_int_t)s->n_refused));
	set(o, "generation", json_integer((json_int_t)s->generation));
	set(o, "verified_generation", json_integer((json_int_t)s->verified_generation));
	set(o, "verified_age_ms", age_json(s, s->verified_at_ms));
	set(o, "uptime_ms", age_json(s, s->started_ms));
	set(o, "repairs", json_integer((json_int_t)s->n_repairs));
	set(o, "sweeps", json_integer((json_int_t)s->n_sweeps));
	set(o, "audits", json_integer((json_int_t)s->n_audits));
	set(o, "recent_repairs", recent_json(s));
	set(o, "heals", heals_json(s));
	set(o, "contested", contested_json(s));
	set(o, "api_requests", requests_json(&s->requests));
	set(o, "rss_bytes", s->rss_bytes ? json_integer((json_int_t)s->rss_bytes) : json_null());
	text = json_dumps(o, JSON_INDENT(2));
	json_decref(o);
	return text;
}

/* --- for people --------------------------------------------------------------------------------- */

static void add_duration(struct text *t, uint64_t ms)
{
	const unsigned long long s = ms / 1000;

	if (s < 10)
		text_add(t, "%llu.%llu s", s, (unsigned long long)ms % 1000 / 100);
	else if (s < 120)
		text_add(t, "%llu s", s);
	else if (s < 7200)
		text_add(t, "%llu min", s / 60);
	else if (s < 172800)
		text_add(t, "%llu h %llu min", s / 3600, s % 3600 / 60);
	else
		text_add(t, "%llu d %llu h", s / 86400, s % 86400 / 3600);
}

static void add_age(struct text *t, const struct status *s, uint64_t at_ms)
{
	add_duration(t, s->now_ms - at_ms);
	text_add(t, " ago");
}

#define LABEL "%-10s "

/* Several lines, each under the one label. */
static void add_lines(struct text *t, const char *label, const char *text)
{
	while (*text) {
		const size_t n = strcspn(text, "\n");

		if (n) {
			text_add(t, LABEL "%.*s\n", label, (int)n, text);
			label = "";
		}
		text += n + (text[n] == '\n');
	}
}

static void add_readiness(struct text *t, const struct status *s)
{
	if (s->ready == READY_YES) {
		text_add(t, LABEL "the kernel equalled the plan ", "READY");
		add_age(t, s, s->verified_at_ms);
		text_add(t, "\n");
		add_lines(t, "problem", s->problem);
	} else {
		add_lines(t, "NOT READY", s->problem[0] ? s->problem : "not verified yet");
	}
	add_lines(t, "note", s->notes);
}

/* NULL: not that family. */
static void add_networks(struct text *t, const struct cidr *v4, const struct cidr *v6)
{
	char buf[CIDR_STRLEN];

	if (v4)
		text_add(t, "%s", cidr_format(v4, buf));
	if (v6)
		text_add(t, "%s%s", v4 ? " and " : "", cidr_format(v6, buf));
}

static void add_subnet(struct text *t, const struct status *s)
{
	const struct netconf *c = &s->config;

	if (!s->have_lease) {
		text_add(t, LABEL "none yet", "subnet");
	} else {
		text_add(t, LABEL, "subnet");
		add_networks(t, cidr_is_set(&s->own.subnet) ? &s->own.subnet : NULL,
			     cidr_is_set(&s->own.subnet6) ? &s->own.subnet6 : NULL);
		if (s->own.node) {
			text_add(t, ", podCIDR of our Node");
		} else if (s->lease_expires_s < 0) {
			text_add(t, ", reserved without end");
		} else {
			text_add(t, ", leased for ");
			add_duration(t, (uint64_t)s->lease_expires_s * 1000);
		}
	}
	if (s->have_config) {
		text_add(t, ", network ");
		add_networks(t, c->ipv4 ? &c->network : NULL, c->ipv6 ? &c->network6 : NULL);
	}
	text_add(t, "\n" LABEL "%s, %s\n", "source", s->source[0] ? s->source : "none",
		 s->source_up ? "answers" : "DOES NOT ANSWER");
}

static void add_uplink(struct text *t, const struct status *s)
{
	const struct uplink *u = &s->uplink;
	char ip[IP_STRLEN], public_ip[IP_STRLEN];

	if (!u->ifindex) {
		text_add(t, LABEL "none yet\n", "uplink");
		return;
	}
	text_add(t, LABEL "%s%s", "uplink", u->name, u->up ? "" : " (DOWN)");
	if (ip_is_set(&u->ip))
		text_add(t, ", %s", ip_format(&u->ip, ip));
	if (!ip_eq(&u->ip, &u->public_ip))
		text_add(t, ", advertised as %s", ip_format(&u->public_ip, public_ip));
	if (ip_is_set(&u->ip6))
		text_add(t, ", %s", ip_format(&u->ip6, ip));
	if (!ip_eq(&u->ip6, &u->public_ip6))
		text_add(t, ", advertised as %s", ip_format(&u->public_ip6, public_ip));
	text_add(t, ", MTU %u\n", u->mtu_bytes);
}

static void add_backend(struct text *t, const struct status *s)
{
	char mac[MAC_STRLEN];

	if (!s->have_config)
		return;
	text_add(t, LABEL "%s", "backend", backend_type_names[s->config.backend]);
	if (s->config.backend == BACKEND_VXLAN)
		text_add(t, ", VNI %u, port %u", s->config.vxlan.vni,
			 s->config.vxlan.port ? s->config.vxlan.port : 8472);
	if (s->overlay_mtu_bytes)
		text_add(t, ", MTU %u", s->overlay_mtu_bytes);
	if (mac_is_set(&s->vtep_mac))
		text_add(t, ", MAC %s", mac_format(&s->vtep_mac, mac));
	if (s->overlay_mtu6_bytes && mac_is_set(&s->vtep_mac6))
		text_add(t, "; IPv6: MTU %u, MAC %s", s->overlay_mtu6_bytes,
			 mac_format(&s->vtep_mac6, mac));
	text_add(t, "\n");
}

static void add_repairs(struct text *t, const struct status *s)
{
	text_add(t, LABEL "%llu since start ", "repairs", (unsigned long long)s->n_repairs);
	add_age(t, s, s->started_ms);
	text_add(t, "%s\n", s->n_recent ? "; latest first:" : "");
	for (size_t i = 0; i < s->n_recent; i++) {
		const struct repair *r = &s->recent[i];

		text_add(t, LABEL, "");
		add_age(t, s, r->at_ms);
		text_add(t, ": %s", r->what);
		if (r->n_ops > 1)
			text_add(t, " and %u more", r->n_ops - 1);
		if (r->who.pid || r->who.comm[0]) {
			text_add(t, "; by ");
			text_add_escaped(t, r->who.comm, strlen(r->who.comm));
			text_add(t, " (pid %u", r->who.pid);
			if (r->who.unit[0]) {
				text_add(t, ", ");
				text_add_escaped(t, r->who.unit, strlen(r->who.unit));
			}
			text_add(t, ")");
		}
		text_add(t, "\n");
	}
}

void status_format(const struct status *s, struct text *t)
{
	add_readiness(t, s);
	add_subnet(t, s);
	add_uplink(t, s);
	add_backend(t, s);
	text_add(t, LABEL "%zu, %zu of them verified", "peers", s->n_peers, s->n_verified);
	if (s->recalled[0])
		text_add(t, "; from disk, as of %s", s->recalled);
	text_add(t, "\n");
	add_repairs(t, s);
}
