#include "os/clock.h"
#include "shape.h"
#include "model/shape.h"
#include <time.h>

extern const char *name;

typedef struct pair {
	int a,b;
} pair_t;

long now(enum shape shape, int b, int c, int d, int e, int (*f)(int, int), int g)
{
	if (b)
		for (;;)
			while (c)
				do {
					if (d)
						return time(0);
				} while (e);
	switch (shape) {
	case SHAPE_ROUND:
		return f(1, g);
	default:
		log_warn("bad.default", "x=%d", 1);
	}
	log_info(
		"bad.default", "y=%d", 2);
	log_error("Bad", "no");
	log_debug(name, "no");
	return 0;
}
