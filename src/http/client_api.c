/* SPDX-License-Identifier: Apache-2.0 */
#include "http/client_api.h"

#include <pthread.h>

#include "base/library.h"
#include "base/task.h"

static const struct library_symbol symbols[] = {
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
	is_there = library_load("libcurl.so.4", symbols, COUNT_OF(symbols), &api);
}

enum err client_api_load(struct task *task, const struct client_api **ret_api)
{
	pthread_once(&loaded, load);
	if (!is_there)
		return fail(task, ERR_CONFIG, "calling out needs libcurl.so.4: install libcurl4");
	*ret_api = &api;
	return OK;
}
