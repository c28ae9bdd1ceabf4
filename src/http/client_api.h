/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl, loaded when something first calls out: with the thirty libraries that it brings it is a
 * quarter of a daemon's start. Only types come from its header.
 */
#pragma once

#include <curl/curl.h>

#include "base/err.h"

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
};

/* The same table for all threads, never unloaded. ERR_CONFIG when libcurl is not installed. */
MUST_CHECK enum err client_api_load(struct task *task, const struct client_api **ret_api);
