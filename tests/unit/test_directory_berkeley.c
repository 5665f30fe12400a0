/* tests/unit/test_directory_berkeley.c - the suite of every backend, on Berkeley DB */
#include "tests/unit/directory_conformance.h"

#include "tests/unit/directory_fixture.h"

#define OPEN_MAX 4

/* Folders of directories that are open. */
static struct {
	struct directory *d;
	char folder[64];
} open_ones[OPEN_MAX];

static struct directory *
make(void)
{
	struct directory_options options = {.folder = NULL};
	struct err err;

	for (size_t i = 0; i < OPEN_MAX; i++) {
		if (open_ones[i].d)
			continue;
		strncpy(open_ones[i].folder, "/tmp/test_directory.XXXXXX",
			sizeof(open_ones[i].folder) - 1);
		assert_non_null(mkdtemp(open_ones[i].folder));
		options.folder = open_ones[i].folder;
		assert_int_equal(directory_open(&options, &open_ones[i].d, &err),
				 DIRECTORY_DONE);
		return open_ones[i].d;
	}
	fail_msg("too many are open");
	return NULL;
}

static void
drop(struct directory **d)
{
	for (size_t i = 0; i < OPEN_MAX; i++) {
		if (open_ones[i].d != *d)
			continue;
		directory_free(&open_ones[i].d);
		remove_folder(open_ones[i].folder);
		*d = NULL;
		return;
	}
}

int
main(void)
{
	return conformance_run(&(struct conformance){"Berkeley DB", make, drop});
}
