/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON. What comes from outside is parsed by jansson (RFC 8259) with strict flags: duplicate
 * members, bad UTF-8, NUL, lone surrogates and trailing bytes are refused; depth and size are
 * bounded. The json_t is used directly and owned by CLEANUP(json_unref). Answers of fixed shape are
 * written by the small escaping writer below. This header is the only way to jansson.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct task;

#define JSON_DEPTH_MAX 32

/*
 * Without memory jansson ends the process, as all of grantd does. Once, before there are threads.
 */
void json_start(void);

/* For CLEANUP(json_unref) json_t *value. */
void json_unref(json_t **value);

/* The caller owns *ret_value. ERR_SYNTAX with the place, ERR_TOO_LARGE for more than max bytes. */
MUST_CHECK enum err json_parse(struct task *task, struct str text, size_t max, json_t **ret_value);
/* Compact text of any value, in task memory; members in their order. ERR_TOO_LARGE. */
MUST_CHECK enum err json_print(struct task *task, const json_t *value, size_t max,
			       struct str *ret_text);

/* A member that is a string, borrowed from object; STR_NONE when absent or of another type. */
struct str json_get_str(const json_t *object, const char *key);

/* A writer of one JSON text. Commas are its affair; the nesting must be closed in order. */
struct json_writer {
	struct buf *buf;
	uint32_t is_array; /* a bit per level */
	uint32_t has_items;
	unsigned depth;
};

struct json_writer json_write_to(struct buf *buf);
void json_open_object(struct json_writer *json);
void json_open_array(struct json_writer *json);
/* Ends the innermost object or array. */
void json_close(struct json_writer *json);
/* The name of a member, to be followed by a value or an open. */
void json_key(struct json_writer *json, const char *key);
/* Bytes that are not UTF-8 are written as U+FFFD. */
void json_add_str(struct json_writer *json, struct str value);
void json_add_int(struct json_writer *json, int64_t value);
void json_add_bool(struct json_writer *json, bool value);
void json_add_null(struct json_writer *json);
/* A value that is JSON already. */
void json_add_raw(struct json_writer *json, struct str value);

void json_member_str(struct json_writer *json, const char *key, struct str value);
void json_member_int(struct json_writer *json, const char *key, int64_t value);
/* A value that is JSON already; STR_NONE: no member. */
void json_member_raw(struct json_writer *json, const char *key, struct str value);
void json_member_bool(struct json_writer *json, const char *key, bool value);
