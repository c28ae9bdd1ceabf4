/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of an HTTP/1.1 request (RFC 9112), strictly: what two servers could read in two ways is
 * refused with a status, and the connection ends. No allocation; the slices of the request point
 * into the input. It decides the framing of the body (parse_framing.c) but does not read it
 * (chunks.h), and it knows no routes.
 */
#pragma once

#include "http/message.h"

enum head_state { HEAD_MORE, HEAD_DONE, HEAD_REFUSED };

/* All zero before the first byte of a request. */
struct head {
	size_t at;	/* everything before it was taken; behind the head once it is done */
	size_t scanned; /* no line ends between at and here */
	bool has_line;	/* the request line was taken */
	bool has_blank; /* the one empty line that may come before it (RFC 9112 2.2) */
	size_t names;	/* field lines so far, also those that were dropped */

	/* what the fields said; complete when the head is done */
	struct str authority; /* of an absolute-form target */
	bool has_host;
	bool has_length;
	uint64_t length;
	bool is_chunked;
	bool has_coding; /* Content-Encoding other than identity */
	bool wants_continue;
	bool says_close;
	bool says_keep_alive;

	/* of a refusal */
	unsigned status;
	const char *why;
};

/*
 * Takes what has come so far: len bytes at `bytes`, which stay where they are between the calls and
 * only become more. However they are cut, the outcome is the same. When done, the body begins at
 * bytes + head->at.
 */
enum head_state head_feed(struct head *head, struct request *request, const char *bytes,
			  size_t len);

/* True if a connection may go on after this request's answer. */
bool head_keeps_alive(const struct head *head, const struct request *request);

/* For the parser's own files: notes the refusal. */
enum head_state head_refuse(struct head *head, unsigned status, const char *why);
/* Judges one field that bears on framing; HEAD_MORE when it stands. */
enum head_state head_judge(struct head *head, struct request *request,
			   const struct http_field *field);
/* Judges the whole once the empty line has come: HEAD_DONE or HEAD_REFUSED. */
enum head_state head_finish(struct head *head, const struct request *request);
/* True if the text is one or more token characters (RFC 9110 5.6.2). */
bool http_is_token(struct str text);
