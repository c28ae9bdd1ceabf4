/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The write-ahead log, written in few calls. SQLite writes each frame in two: its 24 bytes of head
 * and its page, some forty calls for one authorization. Here they are gathered and written when the
 * frame that commits is there, so that everything is in the file before anybody is told to look
 * (https://sqlite.org/walformat.html, section 2).
 */
#pragma once

/* The name to open a writing connection with. The layer lies on the default one of that moment. */
const char *sqlite_log_layer(void);
