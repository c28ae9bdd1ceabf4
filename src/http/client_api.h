/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl, loaded when something first calls out: with the thirty libraries that it brings it is a
 * quarter of a daemon's start. Only types come from its header.
 */
#pragma once

#include <curl/curl.h>

#include "base/err.h"
#include "base/str.h"

struct task;

struct client_api {
	__typeof__(curl_easy_init) *init;
	__typeof__(curl_easy_cleanup) *cleanup;
	__typeof__(curl_easy_setopt) *set;
	__typeof__(curl_easy_perform) *perform;
	__typeof__(curl_easy_getinfo) *get;
	__typeof__(curl_easy_strerror) *error_text;
	__typeof__(curl_slist_append) *list_append;
	__typeof__(curl_slist_free_all) *list_free;
	/* for http/outgoing */
	__typeof__(curl_multi_init) *multi_init;
	__typeof__(curl_multi_cleanup) *multi_cleanup;
	__typeof__(curl_multi_add_handle) *multi_add;
	__typeof__(curl_multi_remove_handle) *multi_remove;
	__typeof__(curl_multi_perform) *multi_perform;
	__typeof__(curl_multi_poll) *multi_poll;
	__typeof__(curl_multi_wakeup) *multi_wakeup;
	__typeof__(curl_multi_info_read) *multi_read;
};

/*
 * Who is believed to be the host of the URL: TLS 1.2 or newer, the system's authorities and those
 * of extra_ca (PEM, borrowed until the call is over; empty: none).
 */
void client_api_trust(const struct client_api *curl, CURL *easy, struct str extra_ca);
/*
 * No redirect is followed, no proxy used (also none from the environment), no .netrc read;
 * HTTP/1.1.
 */
void client_api_narrow(const struct client_api *curl, CURL *easy);
/* The same table for all threads, never unloaded. ERR_CONFIG when libcurl is not installed. */
MUST_CHECK enum err client_api_load(struct task *task, const struct client_api **ret_api);
