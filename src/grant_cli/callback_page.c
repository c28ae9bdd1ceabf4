/* SPDX-License-Identifier: Apache-2.0 */
#include "grant_cli/callback_page.h"

#include <sys/socket.h>
#include <sys/time.h>

#include "base/buf.h"
#include "base/task.h"
#include "http/message.h"

#define PAGE_MAX 8192

static const char page_head[] =
	"<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta name=\"color-scheme\" content=\"light dark\">\n"
	"<link rel=\"icon\" href=\"data:,\">\n"
	"<style>\n"
	"body { font: 1rem/1.6 system-ui, sans-serif; margin: 0; display: grid;\n"
	"	min-height: 100vh; place-items: center; color: #1c2128; background: #f5f6f8 }\n"
	"main { max-width: 26rem; margin: 1.5rem; padding: 2rem; border-radius: 12px;\n"
	"	background: #fff; border: 1px solid #d8dde3 }\n"
	"h1 { font-size: 1.44rem; line-height: 1.3; margin: 0 0 .75rem }\n"
	"p { margin: 0 }\n"
	"@media (prefers-color-scheme: dark) {\n"
	"	body { color: #e6e9ed; background: #14171b }\n"
	"	main { background: #1d2126; border-color: #363c44 }\n"
	"}\n"
	"</style>\n";

static const char page_fields[] = "Content-Type: text/html; charset=utf-8\r\n"
				  "Content-Security-Policy: default-src 'none'; "
				  "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
				  "form-action 'none'; frame-ancestors 'none'\r\n"
				  "Referrer-Policy: no-referrer\r\n"
				  "X-Content-Type-Options: nosniff\r\n"
				  "Cache-Control: no-store\r\n"
				  "Connection: close\r\n";

static struct str write_body(struct task *task, const char *heading, const char *text)
{
	struct buf page = buf_in(&task->arena, PAGE_MAX);
	struct str body;

	buf_add_c(&page, page_head);
	buf_add(&page, STR_JOIN(&task->arena, STR("<title>"), str_from_c(heading),
				STR("</title>\n<main><h1>"), str_from_c(heading), STR("</h1><p>"),
				str_from_c(text), STR("</p></main>\n")));
	return buf_finish(&page, &body) == OK ? body : STR("");
}

void callback_page_send(struct task *task, int fd, unsigned status, const char *heading,
			const char *text)
{
	struct timeval patience = { .tv_sec = 2 };
	struct str body = write_body(task, heading, text);
	struct str head = str_printf(&task->arena,
				     "HTTP/1.1 %u %.*s\r\n%sContent-Length: %zu\r\n\r\n", status,
				     STR_FMT(reply_phrase(status)), page_fields, body.len);
	struct str answer = STR_JOIN(&task->arena, head, body);

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	while (answer.len > 0) {
		ssize_t sent = send(fd, answer.at, answer.len, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		answer = str_from(answer, (size_t)sent);
	}
	shutdown(fd, SHUT_WR);
}
