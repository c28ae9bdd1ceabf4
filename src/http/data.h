/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a template or a sentence is filled from: objects, arrays, texts and whole numbers in one
 * arena, which they end with. Texts are copied, the names of members are not; a text that is not
 * UTF-8 is left out.
 */
#pragma once

#include <stdbool.h>

#include "base/json.h"
#include "base/str.h"

struct arena;
struct data;

struct data *data_new_object(struct arena *arena);
struct data *data_new_array(struct arena *arena);
/* A copy of what was parsed. Only what is named above is something there. */
struct data *data_of_json(struct arena *arena, json_t *value);

/* --- members: one of the same name is replaced --- */

void data_str(struct data *object, const char *name, struct str text);
void data_int(struct data *object, const char *name, int64_t number);
void data_true(struct data *object, const char *name);
struct data *data_object(struct data *object, const char *name);
struct data *data_array(struct data *object, const char *name);
/* What stands elsewhere is seen here, too; it is not to be changed from then on. */
void data_share(struct data *object, const char *name, const struct data *value);
void data_remove(struct data *object, const char *name);

/* --- items, at the end of an array --- */

struct data *data_item(struct data *array);
void data_item_str(struct data *array, struct str text);
/* As data_share. */
void data_item_share(struct data *array, const struct data *value);
void data_items_share(struct data *array, const struct data *from);
void data_remove_last(struct data *array);

/* --- looking; each of them takes NULL for nothing --- */

/* NULL: no object, or without that member. */
struct data *data_get(const struct data *object, struct str name);
/* STR_NONE also for what is no text. */
struct str data_get_str(const struct data *object, const char *name);
/* Of an array or object: its items or members in order; NULL at the end. */
struct data *data_first(const struct data *value);
struct data *data_next(const struct data *value);
struct data *data_last(const struct data *value);
size_t data_count(const struct data *value);
bool data_is_array(const struct data *value);
/* False for nothing, zero, and what is empty of texts and arrays. */
bool data_is_something(const struct data *value);
/* Of a text or whole number; STR_NONE for all else. */
struct str data_text(const struct data *value);
/* As JSON, compact, members in their order. ERR_TOO_LARGE. */
MUST_CHECK enum err data_print(struct task *task, const struct data *value, size_t max,
			       struct str *ret_text);
