/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a template sees, put together: thin words over jansson. Text that is not UTF-8 is left out;
 * out of memory ends the process.
 */
#pragma once

#include "base/json.h"
#include "base/str.h"

void data_str(json_t *object, const char *key, struct str text);
void data_int(json_t *object, const char *key, int64_t value);
void data_true(json_t *object, const char *key);
/* A new member; borrowed from object. */
json_t *data_object(json_t *object, const char *key);
json_t *data_array(json_t *object, const char *key);
/* A new item at the end of array; borrowed from it. */
json_t *data_item(json_t *array);
void data_item_str(json_t *array, struct str text);
