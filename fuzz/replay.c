/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target over every file of the directories given. No file, or one it cannot read,
 * fails.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED_MAX (1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* From memory of exactly the file's size, so that a byte read past it shows. */
static int run_file(const char *dir, const char *name, uint8_t *room)
{
	char path[4096];
	uint8_t *data;
	size_t size;
	FILE *in;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return -1;
	in = fopen(path, "rb");
	if (in == NULL)
		return -1;
	size = fread(room, 1, SEED_MAX, in);
	fclose(in);
	data = malloc(size);
	if (data == NULL && size > 0)
		return -1;
	memcpy(data, room, size);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 0;
}

static int run_dir(const char *dir, uint8_t *room)
{
	DIR *open_dir = opendir(dir);
	struct dirent *entry;
	int count = 0;

	while (open_dir != NULL && (entry = readdir(open_dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (run_file(dir, entry->d_name, room) != 0) {
			fprintf(stderr, "%s/%s cannot be read\n", dir, entry->d_name);
			exit(1);
		}
		count++;
	}
	if (open_dir != NULL)
		closedir(open_dir);
	return count;
}

int main(int argc, char **argv)
{
	uint8_t *room = malloc(SEED_MAX);
	int count = 0;

	for (int i = 1; i < argc && room != NULL; i++)
		count += run_dir(argv[i], room);
	free(room);
	printf("%d seeds\n", count);
	return count > 0 ? 0 : 1;
}
