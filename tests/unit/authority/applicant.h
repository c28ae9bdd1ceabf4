/* SPDX-License-Identifier: Apache-2.0 */
/* An agent that registers itself at the office, and what became of it. */
#pragma once

#include "at_office.h"
#include "authority/registration.h"

/* The office's task, at the clock's time. */
struct task *now(void);

/* A public client from that address; registering->token is the one to register with, if any. */
enum err register_from(const char *source, struct registering *registering);
/* One that did from 192.0.2.1, ready to change and delete itself. */
struct registering registered(void);
/* Steps for world_run, of a struct registering. */
enum err open_step(struct task *task, void *registering);
enum err change_step(struct task *task, void *registering);
enum err delete_step(struct task *task, void *registering);
/* Another redirect URI, and the token that comes with it. */
enum err update(struct registering *one);

/* How many registered themselves. */
int64_t clients(void);
bool is_there(struct str id);
/* It is there and nobody disabled it. */
bool is_let_in(struct str id);

/* What the operator writes instead of what there is. */
void configure(const char *text);
/* The job. */
void expire(void);
