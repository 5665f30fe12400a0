/* tests/fuzz/replay.c - runs a fuzz target over the files of its corpus
 *
 * Linked instead of libFuzzer's main, so that every input ever worth keeping is
 * tried in each test run, with any compiler.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
replay_file(const char *folder, const char *name)
{
	char path[4096];
	char *bytes = NULL;
	size_t size = 0;
	FILE *file;
	int c;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "rb");
	if (!file) {
		perror(path);
		return -1;
	}
	FILE *copy = open_memstream(&bytes, &size);
	while (copy && (c = getc(file)) != EOF)
		putc(c, copy);
	fclose(file);
	if (!copy || fclose(copy) != 0)
		return -1;
	/* An exact-size block, so that a read past the end is seen. */
	uint8_t *exact = malloc(size ? size : 1);
	for (size_t i = 0; i < size; i++)
		exact[i] = (uint8_t)bytes[i];
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	free(bytes);
	return 0;
}

int
main(int argc, char **argv)
{
	int n = 0;
	DIR *folder;

	if (argc != 2 || !(folder = opendir(argv[1]))) {
		fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
		return 2;
	}
	for (struct dirent *entry; (entry = readdir(folder));) {
		if (entry->d_name[0] == '.')
			continue;
		if (replay_file(argv[1], entry->d_name) != 0)
			return 1;
		n++;
	}
	closedir(folder);
	printf("%d inputs replayed\n", n);
	return n > 0 ? 0 : 1;
}
