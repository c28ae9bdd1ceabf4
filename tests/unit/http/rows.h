/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Malformed and ambiguous requests, each with the status that a strict server refuses it with (0:
 * it must be accepted), and what nginx in front of us ends it with (0: without a status line), as
 * Debian 12's nginx 1.22 does. The parser's test feeds them in all cuts; test_table.c sends them
 * over sockets to us and to nginx. What nginx refuses we refuse, but for rows that say why not.
 * Sources: RFC 9112, RFC 9110, published request smuggling reports.
 */
#pragma once

#include "base/arena.h"
#include "base/compiler.h"
#include "base/str.h"

struct row {
	const char *name;
	unsigned status;
	unsigned nginx;
	struct str before;
	struct str fill; /* written fill_count times between before and after */
	size_t fill_count;
	struct str after;
	const char *why_not; /* we accept what nginx refuses; NULL: we do not */
};

#define H   "Host: localhost\r\n"
#define GET "GET / HTTP/1.1\r\n" H
#define PUT "POST / HTTP/1.1\r\n" H
#define TE  PUT "Transfer-Encoding: chunked\r\n\r\n"
#define ROW(name, status, nginx, bytes)                                                            \
	{                                                                                          \
		name, status, nginx, STR_INIT(bytes)                                               \
	}
#define FILL(name, status, nginx, before, fill, count, after)                                      \
	{                                                                                          \
		name, status, nginx, STR_INIT(before), STR_INIT(fill), count, STR_INIT(after)      \
	}
#define FILL_BUT(why, name, nginx, before, fill, count, after)                                     \
	{                                                                                          \
		name, 0, nginx, STR_INIT(before), STR_INIT(fill), count, STR_INIT(after), why      \
	}

static const struct row rows[] = {
	/* accepted: a table that refuses everything proves nothing */
	ROW("plain GET", 0, 200, GET "\r\n"),
	ROW("HTTP/1.0 without Host", 0, 200, "GET / HTTP/1.0\r\n\r\n"),
	ROW("one empty line before", 0, 200, "\r\n" GET "\r\n"),
	ROW("absolute form, same Host", 0, 200, "GET http://localhost/ HTTP/1.1\r\n" H "\r\n"),
	ROW("Content-Length body", 0, 200, PUT "Content-Length: 5\r\n\r\nhello"),
	ROW("Content-Length 0", 0, 200, PUT "Content-Length: 0\r\n\r\n"),
	ROW("chunked body", 0, 200, TE "5\r\nhello\r\n0\r\n\r\n"),
	ROW("chunk extension", 0, 200, TE "5;a=b;c=\"d;\\\"e\"\r\nhello\r\n0\r\n\r\n"),
	ROW("trailer field", 0, 200, TE "5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"),
	ROW("chunk size with zeros", 0, 200, TE "0005\r\nhello\r\n0\r\n\r\n"),
	ROW("Transfer-Encoding: CHUNKED", 0, 200,
	    PUT "Transfer-Encoding: CHUNKED\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
	ROW("empty field value", 0, 200, GET "X-Empty:\r\n\r\n"),
	ROW("field with obs-text", 0, 200, GET "X-Name: J\xC3\xBCrgen\r\n\r\n"),
	ROW("field name with underscore, dropped", 0, 200, GET "X_A: 1\r\n\r\n"),
	ROW("Upgrade is ignored", 0, 200,
	    GET "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: "
		"AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n"),
	FILL_BUT("its buffer of 8 KiB is for the whole line, our limit for the target",
		 "target of 8192 bytes", 414, "GET /", "a", 8191, " HTTP/1.1\r\n" H "\r\n"),
	FILL_BUT("it passes them on with Connection, the 101st: 431 is our answer to it",
		 "100 fields", 431, GET, "X-A: 1\r\n", 99, "\r\n"),

	/* two lengths (HT-001, HT-002) */
	ROW("CL and TE", 400, 400,
	    PUT "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	ROW("TE and CL", 400, 400,
	    PUT "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
	ROW("two CL, different", 400, 400,
	    PUT "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
	ROW("two CL, equal", 400, 400, PUT "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
	ROW("listed CL", 400, 400, PUT "Content-Length: 5, 5\r\n\r\nhello"),
	ROW("CL +3", 400, 400, PUT "Content-Length: +3\r\n\r\nabc"),
	ROW("CL 0x3", 400, 400, PUT "Content-Length: 0x3\r\n\r\nabc"),
	ROW("CL negative", 400, 400, PUT "Content-Length: -1\r\n\r\n"),
	ROW("CL empty", 400, 400, PUT "Content-Length:\r\n\r\n"),
	ROW("CL with a space inside", 400, 400, PUT "Content-Length: 1 0\r\n\r\nabc"),
	ROW("CL with a fraction", 400, 400, PUT "Content-Length: 3.0\r\n\r\nabc"),
	ROW("CL with leading zero", 400, 200, PUT "Content-Length: 03\r\n\r\nabc"),
	ROW("CL beyond 64 bits", 400, 400, PUT "Content-Length: 18446744073709551619\r\n\r\nabc"),
	ROW("CL over the limit", 413, 413, PUT "Content-Length: 65537\r\n\r\n"),

	/* transfer codings (HT-004, HT-005) */
	ROW("TE xchunked", 501, 501, PUT "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
	ROW("TE chunked, identity", 501, 501,
	    PUT "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
	ROW("TE gzip, chunked", 501, 501, PUT "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
	ROW("TE chunked, chunked", 501, 501,
	    PUT "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
	ROW("TE identity", 501, 501, PUT "Transfer-Encoding: identity\r\n\r\n"),
	ROW("TE empty", 501, 501, PUT "Transfer-Encoding:\r\n\r\n"),
	ROW("TE quoted", 501, 501, PUT "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"),
	ROW("TE chunked twice", 400, 400,
	    PUT "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	ROW("TE with vertical tab", 400, 501,
	    PUT "Transfer-Encoding: \x0B"
		"chunked\r\n\r\n0\r\n\r\n"),
	ROW("TE with form feed", 400, 501, PUT "Transfer-Encoding: chunked\x0C\r\n\r\n0\r\n\r\n"),
	ROW("TE in HTTP/1.0", 400, 400,
	    "POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),

	/* chunks (HT-006 to HT-008) */
	ROW("chunk size 0x5", 400, 400, TE "0x5\r\nhello\r\n0\r\n\r\n"),
	ROW("chunk size -1", 400, 400, TE "-1\r\nhello\r\n0\r\n\r\n"),
	ROW("chunk size +5", 400, 400, TE "+5\r\nhello\r\n0\r\n\r\n"),
	ROW("chunk size empty", 400, 400, TE "\r\nhello\r\n0\r\n\r\n"),
	ROW("chunk size with space", 400, 200, TE "5 \r\nhello\r\n0\r\n\r\n"),
	ROW("chunk size of 17 digits", 400, 200, TE "00000000000000005\r\nhello\r\n0\r\n\r\n"),
	ROW("chunk size overflowing", 400, 400, TE "FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n"),
	ROW("chunk size of 64 bits", 413, 400, TE "FFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n"),
	ROW("chunk over the limit", 413, 0, TE "10001\r\n"),
	FILL("chunks over the limit together", 413, 0, TE "8000\r\n", "x", 0x8000, "\r\n8001\r\n"),
	ROW("chunk size ended by bare LF", 400, 200, TE "5\nhello\r\n0\r\n\r\n"),
	ROW("chunk size ended by bare CR", 400, 400, TE "5\rhello\r\n0\r\n\r\n"),
	ROW("bare LF behind a chunk", 400, 200, TE "5\r\nhello\n0\r\n\r\n"),
	ROW("chunk longer than its size", 400, 400, TE "4\r\nhello\r\n0\r\n\r\n"),
	ROW("last chunk ended by bare LF", 400, 200, TE "5\r\nhello\r\n0\n\r\n"),
	ROW("end of trailers by bare LF", 400, 200, TE "5\r\nhello\r\n0\r\n\n"),
	ROW("bare LF in a chunk extension", 400, 400, TE "5;a\nb\r\nhello\r\n0\r\n\r\n"),
	ROW("CRLF in a quoted chunk extension", 400, 400,
	    TE "5;a=\"b\r\nc\"\r\nhello\r\n0\r\n\r\n"),
	ROW("NUL in a chunk extension", 400, 200, TE "5;a\0b\r\nhello\r\n0\r\n\r\n"),
	ROW("trailer with space before colon", 400, 200, TE "0\r\nX-A : 1\r\n\r\n"),
	ROW("folded trailer", 400, 200, TE "0\r\nX-A: 1\r\n b\r\n\r\n"),
	ROW("bare LF in a trailer", 400, 200, TE "0\r\nX-A: 1\nX-B: 2\r\n\r\n"),
	FILL("extensions without end", 400, 200, TE "5;", "a", 20000, "\r\nhello\r\n0\r\n\r\n"),

	/* lines and fields (HT-009, HT-010, HT-015, HT-016) */
	ROW("bare LF lines", 400, 200, "GET / HTTP/1.1\nHost: localhost\n\n"),
	ROW("bare LF behind the request line", 400, 200, "GET / HTTP/1.1\n" H "\r\n"),
	ROW("bare LF behind a field", 400, 200, "GET / HTTP/1.1\r\nHost: localhost\n\r\n"),
	ROW("bare LF as the empty line", 400, 200, GET "\n"),
	ROW("bare CR in a field", 400, 400, GET "X-A: a\rX-B: b\r\n\r\n"),
	ROW("bare CR in the request line", 400, 400, "GET /\r HTTP/1.1\r\n" H "\r\n"),
	ROW("two CR before LF", 400, 200, GET "X-A: a\r\r\n\r\n"),
	ROW("space before the colon", 400, 400, "GET / HTTP/1.1\r\nHost : localhost\r\n\r\n"),
	ROW("tab before the colon", 400, 400, GET "Content-Length\t: 5\r\n\r\nhello"),
	ROW("folded field", 400, 400, GET "X-A: a\r\n b\r\n\r\n"),
	ROW("folded first field", 400, 400, "GET / HTTP/1.1\r\n " H "\r\n"),
	ROW("field without colon", 400, 200, GET "X-A\r\n\r\n"),
	ROW("field without name", 400, 400, GET ": a\r\n\r\n"),
	ROW("NUL in a field", 400, 400, GET "X-A: a\0b\r\n\r\n"),
	ROW("NUL in a field name", 400, 400, GET "X-\0A: a\r\n\r\n"),
	ROW("DEL in a field", 400, 400, GET "X-A: a\x7F\r\n\r\n"),
	ROW("escape in a field", 400, 400, GET "X-A: a\x1B[0m\r\n\r\n"),
	ROW("non-ASCII field name", 400, 200, GET "X-\xC3\xBC: a\r\n\r\n"),
	ROW("quote in a field name", 400, 200, GET "X\"A: a\r\n\r\n"),
	FILL("101 fields", 431, 431, GET, "X-A: 1\r\n", 100, "\r\n"),
	FILL("101 fields with underscores", 431, 200, GET, "X_A: 1\r\n", 100, "\r\n"),
	FILL("head over 16 KiB", 431, 400, GET "X-A: ", "a", 16400, "\r\n\r\n"),
	FILL("head over 16 KiB in many fields", 431, 431, GET,
	     "X-A: 0123456789012345678901234567890"
	     "123456789012345678901234567890123456789012345678901234567890123456789012345678"
	     "901234567890123456789012345678901234567890123456789012345678901234567890123456"
	     "789\r\n",
	     90, "\r\n"),
	FILL("target over 8 KiB", 414, 414, "GET /", "a", 8192, " HTTP/1.1\r\n" H "\r\n"),
	FILL("target without end", 414, 414, "GET /", "a", 30000, ""),

	/* request line and Host (HT-014, HT-023) */
	ROW("no Host", 400, 400, "GET / HTTP/1.1\r\n\r\n"),
	ROW("two Hosts", 400, 400, GET "Host: localhost\r\n\r\n"),
	ROW("two Hosts, different", 400, 400, GET "Host: evil\r\n\r\n"),
	ROW("empty Host", 400, 400, "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
	ROW("Host with a path", 400, 400, "GET / HTTP/1.1\r\nHost: localhost/x\r\n\r\n"),
	ROW("Host with user name", 400, 200, "GET / HTTP/1.1\r\nHost: a@localhost\r\n\r\n"),
	ROW("Host as a list", 400, 400, "GET / HTTP/1.1\r\nHost: localhost, evil\r\n\r\n"),
	ROW("absolute form, other Host", 400, 200, "GET http://evil/ HTTP/1.1\r\n" H "\r\n"),
	ROW("absolute form with user name", 400, 400,
	    "GET http://a@localhost/ HTTP/1.1\r\nHost: a@localhost\r\n\r\n"),
	ROW("absolute form, other scheme", 400, 200, "GET ftp://localhost/ HTTP/1.1\r\n" H "\r\n"),
	ROW("target without slash", 400, 400, "GET index HTTP/1.1\r\n" H "\r\n"),
	ROW("asterisk for GET", 400, 400, "GET * HTTP/1.1\r\n" H "\r\n"),
	ROW("fragment in the target", 400, 400, "GET /#a HTTP/1.1\r\n" H "\r\n"),
	ROW("space in the target", 400, 400, "GET /a b HTTP/1.1\r\n" H "\r\n"),
	ROW("tab in the request line", 400, 400, "GET\t/\tHTTP/1.1\r\n" H "\r\n"),
	ROW("two spaces behind the method", 400, 200, "GET  / HTTP/1.1\r\n" H "\r\n"),
	ROW("space behind the version", 400, 200, "GET / HTTP/1.1 \r\n" H "\r\n"),
	ROW("space before the method", 400, 400, " GET / HTTP/1.1\r\n" H "\r\n"),
	ROW("NUL in the target", 400, 400, "GET /\0 HTTP/1.1\r\n" H "\r\n"),
	ROW("non-ASCII target", 400, 400, "GET /\xC3\xBC HTTP/1.1\r\n" H "\r\n"),
	ROW("two empty lines before", 400, 200, "\r\n\r\n" GET "\r\n"),
	ROW("method with a bad character", 400, 400, "GE(T / HTTP/1.1\r\n" H "\r\n"),
	ROW("method in lower case", 501, 400, "get / HTTP/1.1\r\n" H "\r\n"),
	ROW("unknown method", 501, 501, "BREW / HTTP/1.1\r\n" H "\r\n"),
	ROW("TRACE", 501, 405, "TRACE / HTTP/1.1\r\n" H "\r\n"),
	ROW("CONNECT", 501, 400, "CONNECT localhost:443 HTTP/1.1\r\n" H "\r\n"),
	ROW("HTTP/0.9", 400, 0, "GET /\r\n"),
	ROW("HTTP/1.9", 505, 200, "GET / HTTP/1.9\r\n" H "\r\n"),
	ROW("HTTP/2.0", 505, 505, "GET / HTTP/2.0\r\n" H "\r\n"),
	ROW("HTTP/1.10", 400, 200, "GET / HTTP/1.10\r\n" H "\r\n"),
	ROW("http/1.1 in lower case", 400, 400, "GET / http/1.1\r\n" H "\r\n"),
	ROW("HTTP/2 preface", 501, 400, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
	ROW("TLS hello on a plain port", 400, 400,
	    "\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03\r\n\r\n"),

	/* HT-029 and expectations */
	ROW("Content-Encoding gzip", 415, 415,
	    PUT "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"),
	ROW("Content-Encoding br, chunked", 415, 200,
	    PUT "Content-Encoding: br\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	ROW("unknown expectation", 417, 200,
	    PUT "Expect: 200-ok\r\nContent-Length: 5\r\n\r\nhello"),
};

#undef H
#undef GET
#undef PUT
#undef TE
#undef ROW
#undef FILL
#undef FILL_BUT

static inline struct str row_bytes(struct arena *arena, const struct row *row)
{
	struct str *parts = NULL;
	struct str fill = STR("");

	if (row->fill_count > 0) {
		parts = (struct str *)arena_alloc_array(arena, row->fill_count, sizeof(*parts));
		for (size_t i = 0; i < row->fill_count; i++)
			parts[i] = row->fill;
		fill = str_join(arena, parts, row->fill_count);
	}
	return STR_JOIN(arena, row->before, fill, row->after);
}
