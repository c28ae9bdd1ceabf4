/* SPDX-License-Identifier: Apache-2.0 */
#include "http/client_api.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/task.h"

static const struct {
	const char *name;
	size_t at;
} symbols[] = {
	{ "curl_easy_init", offsetof(struct client_api, init) },
	{ "curl_easy_cleanup", offsetof(struct client_api, cleanup) },
	{ "curl_easy_setopt", offsetof(struct client_api, set) },
	{ "curl_easy_perform", offsetof(struct client_api, perform) },
	{ "curl_easy_getinfo", offsetof(struct client_api, get) },
	{ "curl_easy_strerror", offsetof(struct client_api, error_text) },
	{ "curl_slist_append", offsetof(struct client_api, list_append) },
	{ "curl_slist_free_all", offsetof(struct client_api, list_free) },
};

/* Written once, before anybody reads it. */
static pthread_once_t loaded = PTHREAD_ONCE_INIT;
static struct client_api api;
static bool is_there;

static void load(void)
{
	void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);

	if (library == NULL)
		return;
	for (size_t i = 0; i < COUNT_OF(symbols); i++) {
		void *found = dlsym(library, symbols[i].name);

		if (found == NULL)
			return;
		memcpy((char *)&api + symbols[i].at, &found, sizeof(found));
	}
	is_there = true;
}

enum err client_api_load(struct task *task, const struct client_api **ret_api)
{
	pthread_once(&loaded, load);
	if (!is_there)
		return fail(task, ERR_CONFIG, "calling out needs libcurl.so.4: install libcurl4");
	*ret_api = &api;
	return OK;
}
