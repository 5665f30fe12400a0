/* tests/unit/transfer_fixture.h - a folder of mail of another system, for the tests of
 * what comes in from there */
#pragma once

#include "tests/unit/store_fixture.h"

#define SOURCE_PATH_MAX 300

/* An empty folder of its own. */
static inline void
source_init(char source[64])
{
	snprintf(source, 64, "%.40s/source.XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(source));
}

/* Makes the file, with the folders that lead to it; full[] is then its path. */
static inline void
source_put(const char *source, const char *path, const char *text,
	   char full[SOURCE_PATH_MAX])
{
	FILE *file;

	snprintf(full, SOURCE_PATH_MAX, "%s/%s", source, path);
	for (char *slash = full + strlen(source) + 1; (slash = strchr(slash, '/'));
	     slash++) {
		*slash = '\0';
		mkdir(full, 0700);
		*slash = '/';
	}
	file = fopen(full, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}
