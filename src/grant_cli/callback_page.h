/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one page that `grant` shows in a browser, and its HTTP answer. Text is our own words:
 * nothing is escaped.
 */
#pragma once

struct task;

/* Sends what it can to the connection; nothing depends on it. The caller closes. */
void callback_page_send(struct task *task, int fd, unsigned status, const char *heading,
			const char *text);
