/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd would hear: binds the datagram socket ADDRESS ("@name" = abstract) and prints each
 * datagram as a line, with the milliseconds since the first behind it. Until killed. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

int main(int argc, char *argv[])
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	long long first_ms = 0;
	char buf[2048];
	ssize_t n;

	if (argc != 2 || strlen(argv[1]) >= sizeof(addr.sun_path))
		return 2;
	memcpy(addr.sun_path, argv[1], strlen(argv[1]));
	if (addr.sun_path[0] == '@')
		addr.sun_path[0] = '\0';
	if (bind(fd, (const struct sockaddr *)&addr,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(argv[1]))) < 0) {
		perror("bind");
		return 1;
	}
	setlinebuf(stdout);
	puts("listening");
	while ((n = recv(fd, buf, sizeof(buf) - 1, 0)) >= 0) {
		buf[n] = '\0';
		for (char *c = buf; *c; c++)
			*c = *c == '\n' ? '|' : *c;
		if (!first_ms)
			first_ms = now_ms();
		printf("%s after %lld ms\n", buf, now_ms() - first_ms);
	}
	return 0;
}
