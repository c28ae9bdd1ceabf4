/* SPDX-License-Identifier: Apache-2.0 */
/* strcpy(a, b) may be spoken of */
struct thing *thing_new(void)
{
	return calloc(1, sizeof(struct thing));
}

void thing_free(struct thing **thing)
{
	free(*thing);
	*thing = NULL;
}

const char *words(void)
{
	return "sprintf(a, b), system(c)" + (int)my_system(1) + '"' + snprintf(NULL, 0, "x");
}
