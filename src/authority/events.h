/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making events: an id with the time in front, and personal details sealed under the person's key.
 */
#pragma once

#include "authority/authority.h"
#include "model/event.h"
#include "model/user.h"

/* A new event of that kind at task->now, without personal details. */
struct event event_new(struct task *task, struct str kind, struct str actor);
/* Seals JSON text into event->sealed. */
MUST_CHECK enum err event_seal(struct task *task, const struct authority *authority,
			       const struct user *user, struct str personal, struct event *event);
/*
 * For event_seal with a MAC in the same question to the key holder (keys_seal_with_others): the
 * caller adds what the MAC is of, and puts the bytes that it gets into event->sealed.
 */
struct seal_order event_seal_order(const struct user *user, struct str personal,
				   struct event *event);
/* The personal details of an event, as JSON text; "" when there are none. */
MUST_CHECK enum err event_unseal(struct task *task, const struct authority *authority,
				 const struct user *user, const struct event *event,
				 struct str *ret_personal);
/* The same event in that memory. */
struct event event_copy(struct arena *arena, const struct event *event);
/*
 * Writes an event that nobody waits for, from any thread and without parking the task: for what is
 * worth knowing and acknowledges nothing (guessing, log-ins at a resource). Lost when the queue is
 * full.
 */
void event_record(struct task *task, const struct authority *authority, const struct event *event);
