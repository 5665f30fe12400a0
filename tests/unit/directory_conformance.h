/* tests/unit/directory_conformance.h - what every backend of the directory answers
 *
 * One suite for all of them: rows of operations and what comes of each, pages of every
 * size, dumps that load into the same again. A backend is given by how an empty
 * directory is made and thrown away.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/directory/directory.h"

struct conformance {
	const char *name;
	/* An empty directory; several may be open at once. Asserts that it works. */
	struct directory *(*make)(void);
	/* Closes it and throws away what it kept. Nulls the pointer. */
	void (*drop)(struct directory **d);
};

/* Runs the suite; the number of tests that failed. */
int conformance_run(const struct conformance *backend);
