/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/errands_wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/task.h"

struct head {
	uint32_t number;
	uint32_t len;
};

union file_space {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))]; /* by its alignment two find room */
};

static void attach(struct msghdr *message, union file_space *space, int file)
{
	struct cmsghdr *header;

	message->msg_control = space->bytes;
	message->msg_controllen = sizeof(space->bytes);
	header = CMSG_FIRSTHDR(message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &file, sizeof(file));
}

static ssize_t send_head(int socket, struct head *head, int file)
{
	struct iovec part = { head, sizeof(*head) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	union file_space space = { .bytes = { 0 } };
	ssize_t sent;

	if (file >= 0)
		attach(&message, &space, file);
	do {
		sent = sendmsg(socket, &message, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return sent;
}

static enum err send_text(int socket, struct str text)
{
	while (text.len > 0) {
		ssize_t sent = send(socket, text.at, text.len, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return ERR_IO;
		text = str_from(text, (size_t)sent);
	}
	return OK;
}

enum err errand_send(struct task *task, int socket, const struct errand_message *message)
{
	struct head head = { message->number, (uint32_t)message->text.len };

	if (message->text.len > ERRANDS_TEXT_MAX)
		return fail(task, ERR_TOO_LARGE, "too long for an errand");
	if (send_head(socket, &head, message->file) != (ssize_t)sizeof(head) ||
	    send_text(socket, message->text) != OK)
		return fail(task, ERR_IO, "the errands process does not listen");
	return OK;
}

/* The file that came along; of two none is taken, for there is no message with two. */
static int file_in(struct msghdr *message)
{
	const struct cmsghdr *header = CMSG_FIRSTHDR(message);
	size_t count = 0;
	int files[2];

	if (header == NULL || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
	    header->cmsg_len < CMSG_LEN(0))
		return -1;
	count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	count = count < COUNT_OF(files) ? count : COUNT_OF(files);
	memcpy(files, CMSG_DATA(header), count * sizeof(int));
	if (count == 1)
		return files[0];
	for (size_t i = 0; i < count; i++)
		close(files[i]);
	return -1;
}

static ssize_t receive_head(int socket, struct head *head, int *ret_file)
{
	struct iovec part = { head, sizeof(*head) };
	union file_space space = { .bytes = { 0 } };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = space.bytes,
				  .msg_controllen = sizeof(space.bytes) };
	ssize_t got;

	do {
		got = recvmsg(socket, &message, MSG_WAITALL | MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	*ret_file = got > 0 ? file_in(&message) : -1;
	return got;
}

static bool receive_text(int socket, char *at, size_t len)
{
	while (len > 0) {
		ssize_t got = recv(socket, at, len, MSG_WAITALL);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		at += got;
		len -= (size_t)got;
	}
	return true;
}

static enum err refuse(struct task *task, int file)
{
	if (file >= 0)
		close(file);
	return fail(task, ERR_SYNTAX, "a message of no known form");
}

enum err errand_receive(struct task *task, int socket, struct errand_message *ret_message)
{
	struct head head = { 0 };
	int file = -1;
	ssize_t got = receive_head(socket, &head, &file);
	char *at;

	if (got <= 0)
		return fail(task, ERR_NOT_FOUND, "the errands process is gone");
	if (got != (ssize_t)sizeof(head) || head.len > ERRANDS_TEXT_MAX)
		return refuse(task, file);
	at = arena_alloc(&task->arena, (size_t)head.len + 1);
	if (!receive_text(socket, at, head.len))
		return refuse(task, file);
	at[head.len] = '\0';
	*ret_message = (struct errand_message){ head.number, { at, head.len }, file };
	return OK;
}

struct str errand_next(struct str *text)
{
	struct str part = str_sub(*text, 0, str_find(*text, '\0'));

	*text = str_from(*text, part.len + 1);
	return part;
}
