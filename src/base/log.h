/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events as JSON lines with fields. Identifiers are logged; tokens, codes, passwords and bodies
 * never, not even at debug. Rules return errors; only doors and jobs log.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct task;

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

struct log {
	int fd;
	_Atomic(enum log_level) level; /* what is below it is not written; may change any time */
};

struct log_field {
	const char *key;
	struct str text; /* text.at == NULL: a number */
	int64_t number;
};

#define LOG_STR(k, v) ((struct log_field){ .key = (k), .text = (v) })
#define LOG_INT(k, v) ((struct log_field){ .key = (k), .number = (int64_t)(v) })

/*
 * One line: time, level, event, the task's fields, these fields (up to the one without key). A line
 * of more than 4 KiB says `cut` and has its texts shortened.
 */
void log_event(struct task *task, enum log_level level, const char *event,
	       const struct log_field *fields);

#define log_at(task, level, event, ...)                                                            \
	log_event((task), (level), (event),                                                        \
		  (const struct log_field[]){ __VA_ARGS__ __VA_OPT__(, ){ .key = NULL } })
#define log_debug(task, event, ...)   log_at(task, LOG_DEBUG, event __VA_OPT__(, ) __VA_ARGS__)
#define log_info(task, event, ...)    log_at(task, LOG_INFO, event __VA_OPT__(, ) __VA_ARGS__)
#define log_warning(task, event, ...) log_at(task, LOG_WARNING, event __VA_OPT__(, ) __VA_ARGS__)
#define log_error(task, event, ...)   log_at(task, LOG_ERROR, event __VA_OPT__(, ) __VA_ARGS__)
