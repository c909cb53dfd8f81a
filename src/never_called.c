/* SPDX-License-Identifier: Apache-2.0 */
/* What OpenSSL and libevent refer to and nothing here calls: names looked up by blocking. A static program that
 * defines these itself does not carry libc's name services, 120 kB that would not work in it anyway; and
 * whoever calls them after all is told no, at once. Names are looked up by os/dns.h.
 */
#include <netdb.h>
#include <stddef.h>

#include "base/base.h"

int getaddrinfo(const char *name _unused_, const char *service _unused_,
		const struct addrinfo *hints _unused_, struct addrinfo **ret _unused_)
{
	return EAI_FAIL;
}

void freeaddrinfo(struct addrinfo *list _unused_)
{
}

const char *gai_strerror(int code _unused_)
{
	return "names are not looked up this way";
}

int getnameinfo(const struct sockaddr *restrict address _unused_, socklen_t n _unused_,
		char *restrict host _unused_, socklen_t n_host _unused_,
		char *restrict service _unused_, socklen_t n_service _unused_, int flags _unused_)
{
	return EAI_FAIL;
}

struct hostent *gethostbyname(const char *name _unused_)
{
	return NULL;
}

struct servent *getservbyname(const char *name _unused_, const char *protocol _unused_)
{
	return NULL;
}

struct protoent *getprotobynumber(int number _unused_)
{
	return NULL;
}
