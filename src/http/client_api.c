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
	{ "curl_multi_init", offsetof(struct client_api, multi_init) },
	{ "curl_multi_cleanup", offsetof(struct client_api, multi_cleanup) },
	{ "curl_multi_add_handle", offsetof(struct client_api, multi_add) },
	{ "curl_multi_remove_handle", offsetof(struct client_api, multi_remove) },
	{ "curl_multi_perform", offsetof(struct client_api, multi_perform) },
	{ "curl_multi_poll", offsetof(struct client_api, multi_poll) },
	{ "curl_multi_wakeup", offsetof(struct client_api, multi_wakeup) },
	{ "curl_multi_info_read", offsetof(struct client_api, multi_read) },
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

void client_api_trust(const struct client_api *curl, CURL *easy, struct str extra_ca)
{
	/* borrowed: the text outlives the call */
	struct curl_blob extra = { (void *)(uintptr_t)extra_ca.at, extra_ca.len, CURL_BLOB_NOCOPY };

	curl->set(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl->set(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl->set(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	/* in place of the system's bundle, whose certificates are in libcurl's CA path as well */
	if (!str_is_empty(extra_ca))
		curl->set(easy, CURLOPT_CAINFO_BLOB, &extra);
}

void client_api_narrow(const struct client_api *curl, CURL *easy)
{
	curl->set(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl->set(easy, CURLOPT_PROXY, ""); /* also none from the environment */
	curl->set(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl->set(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl->set(easy, CURLOPT_NOSIGNAL, 1L);
}
