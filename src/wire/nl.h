/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_NL_H
#define WIRE_NL_H
/* Netlink bytes: building and walking messages and attributes.
 *
 * A netlink message is a 16-byte header, a family header (rtmsg, ndmsg, nfgenmsg …) and attributes:
 * length, type, value, each padded to 4 bytes (linux/netlink.h). rtnetlink (wire/nl_link.h and its
 * kin) and nf_tables (wire/nl_nft.h) both stand on this file. Everything is copied by memcpy: no
 * alignment is assumed, of neither side.
 *
 * Writing: messages go one behind the other into a buffer that the caller owns. What does not fit
 * is remembered; nl_end() then takes the whole message back and says so, and the caller sends what is
 * there and begins again.
 *
 * Reading: a walker never reads past what it was given, whatever the bytes say. Getters yield zero
 * for an absent attribute and for one of another size. Attributes of a message that maps to a
 * struct are best read by a table of struct nl_field.
 */

#include "model/ip.h"

/* ---- writing ---- */

struct nl_buf {
	uint8_t *bytes; /* borrowed */
	size_t size_bytes;
	size_t len;   /* complete messages, and the one being built */
	size_t begin; /* offset of the message being built */
	size_t last;  /* offset of the last complete one */
	bool full;    /* the message being built does not fit */
};

#define NL_BUF(array) ((struct nl_buf){.bytes = (array), .size_bytes = sizeof(array)})

/* Starts a message: netlink header, then the family's header (n bytes). Flags are complete: nothing
 * is added to them (NLM_F_REQUEST is the caller's to say). */
void nl_begin(struct nl_buf *b, uint16_t type, uint16_t flags, uint32_t seq, const void *header,
	      size_t n);
/* Ends it. False: it did not fit and the buffer is as it was before nl_begin(). */
bool nl_end(struct nl_buf *b);

void nl_put(struct nl_buf *b, uint16_t type, const void *value, size_t n);
void nl_put_u8(struct nl_buf *b, uint16_t type, uint8_t v);
void nl_put_u16(struct nl_buf *b, uint16_t type, uint16_t v);
void nl_put_u32(struct nl_buf *b, uint16_t type, uint32_t v);
/* Host order in, network order on the wire. */
void nl_put_be16(struct nl_buf *b, uint16_t type, uint16_t v);
void nl_put_be32(struct nl_buf *b, uint16_t type, uint32_t v);
void nl_put_be64(struct nl_buf *b, uint16_t type, uint64_t v);
/* With its terminator. */
void nl_put_str(struct nl_buf *b, uint16_t type, const char *s);
/* 4 or 16 bytes. */
void nl_put_ip(struct nl_buf *b, uint16_t type, const struct ip *ip);
/* Opens a nest (with NLA_F_NESTED); close with what it returned. */
size_t nl_nest(struct nl_buf *b, uint16_t type);
void nl_nest_end(struct nl_buf *b, size_t nest);

/* ---- reading ---- */

/* Bytes that are still to be read, borrowed. */
struct nl_bytes {
	const uint8_t *p;
	size_t n;
};

struct nl_msg {
	uint16_t type, flags;
	uint32_t seq,
		port; /* port: of the socket that asked, also in notifications; 0 = the kernel */
	struct nl_bytes body; /* family header and attributes */
};

struct nl_attr {
	uint16_t type; /* without its two flag bits */
	struct nl_bytes value;
};

/* The next message or attribute, which leaves `rest`. False at the end; then rest->n != 0 says that
 * what is left is not a message or attribute: cut off, or a length that lies. */
bool nl_msg_next(struct nl_bytes *rest, struct nl_msg *ret);
bool nl_attr_next(struct nl_bytes *rest, struct nl_attr *ret);
/* Copies the family header (n bytes) out of m's body; ret_attrs is what follows it, padding
 * skipped. False if the body is shorter. */
bool nl_header(const struct nl_msg *m, void *ret_header, size_t n, struct nl_bytes *ret_attrs);
/* First attribute of a type; false and *ret untouched if there is none. */
bool nl_attr_find(struct nl_bytes attrs, uint16_t type, struct nl_attr *ret);

uint8_t nl_get_u8(const struct nl_attr *a);
uint32_t nl_get_u32(const struct nl_attr *a);
uint16_t nl_get_be16(const struct nl_attr *a); /* in host order */
uint32_t nl_get_be32(const struct nl_attr *a);
uint64_t nl_get_be64(const struct nl_attr *a);
struct ip nl_get_ip(const struct nl_attr *a); /* by its size, else unset */
/* Text up to its terminator or the end. False and dst = "" if it does not fit. */
bool nl_get_str(const struct nl_attr *a, char *dst, size_t size_bytes);

/* ---- tables ---- */

/* How an attribute maps to a struct member; member types in brackets. */
enum nl_type {
	NL_BOOL,    /* u8 on the wire [bool] */
	NL_U8,	    /* [uint8_t] */
	NL_U16,	    /* [uint16_t] */
	NL_U32,	    /* [uint32_t] */
	NL_BE16,    /* [uint16_t, host order] */
	NL_BE32,    /* [uint32_t, host order] */
	NL_BE64,    /* [uint64_t, host order] */
	NL_IP,	    /* 4 or 16 bytes [struct ip] */
	NL_MAC,	    /* 6 bytes [struct mac] */
	NL_STR,	    /* [char[size]]; what does not fit is "" */
	NL_PRESENT, /* it is there, whatever its value [bool] */
	NL_NEST,    /* or any raw value, borrowed [struct nl_bytes] */
};

struct nl_field {
	uint16_t type;
	uint16_t offset; /* of the member */
	uint16_t size;	 /* of the member; says how far NL_STR may go */
	enum nl_type how;
};

#define NL_FIELD(type_, how_, struct_, member_)                                \
 {                                                                             \
  .type = (type_), .how = (how_), .offset = offsetof(struct struct_, member_), \
  .size = sizeof(((struct struct_ *)0)->member_),                              \
 }

/* Reads every attribute that a field names into `ret`; members without an attribute keep their
 * value. One of the wrong size is as if absent. False if the attributes end in rubbish. */
bool nl_read(const struct nl_field *fields, size_t n, struct nl_bytes attrs, void *ret);

/* ---- acknowledgements ---- */

#define NL_ACK_TEXT_SIZE 120

/* NLMSG_ERROR or NLMSG_DONE. */
struct nl_ack {
	int code;		     /* 0 or -errno */
	uint32_t seq;		     /* of the request */
	char text[NL_ACK_TEXT_SIZE]; /* the kernel's own words (extended ack), escaped; or "" */
};

/* False if `m` is neither, or too short. */
bool nl_ack_decode(const struct nl_msg *m, struct nl_ack *ret);

#endif
