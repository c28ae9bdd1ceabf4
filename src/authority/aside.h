/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A write beside the request: nobody waits for it, from any thread and without parking the task
 * that it came from. For what is worth keeping and acknowledges nothing; lost when the queue is
 * full or the commit fails.
 */
#pragma once

#include "authority/authority.h"

/* A task of its own, for what the write needs to know; given to aside_submit. */
struct task *aside_new(const struct task *task);
/* arg lies in the aside's memory (its arena), which is freed after the write. */
void aside_submit(struct task *aside, const struct authority *authority, write_fn *fn, void *arg);
/* As store_submit_stop: kept from the reserve when the disk is full. */
void aside_submit_stop(struct task *aside, const struct authority *authority, write_fn *fn,
		       void *arg);
