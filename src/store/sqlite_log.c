/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite_log.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_HEAD 24
#define COMMIT_AT  4 /* in the head: how many pages the database has then; 0: no commit */
#define COMMIT_LEN 4
/* the layer below writes less than 128 KiB at a time (os_unix.c, seekAndWriteFd) */
#define GATHER_ROOM (31 * (FRAME_HEAD + 4096))

#define ANYWHERE (-1)

struct gathered {
	char *room; /* NULL before the first write: most connections only read */
	sqlite3_int64 offset;
	int len;
	sqlite3_int64 end; /* where the transaction goes on; ANYWHERE before it began */
	bool is_commit;	   /* what belongs to the last head is written at once */
};

struct gathered *gathered_new(void)
{
	struct gathered *gathered = calloc(1, sizeof(*gathered));

	if (gathered != NULL)
		gathered->end = ANYWHERE;
	return gathered;
}

static char *room_new(void)
{
	return malloc(GATHER_ROOM);
}

void gathered_free(struct gathered **freeing)
{
	if (*freeing == NULL)
		return;
	free((*freeing)->room);
	free(*freeing);
	*freeing = NULL;
}

void gathered_end(struct gathered *gathered)
{
	gathered->len = 0;
	gathered->end = ANYWHERE;
}

int gathered_flush(struct gathered *gathered, sqlite3_file *log)
{
	int len = gathered->len;

	gathered->len = 0;
	if (len == 0)
		return SQLITE_OK;
	return log->pMethods->xWrite(log, gathered->room, len, gathered->offset);
}

static void gather(struct gathered *gathered, const void *bytes, int len, sqlite3_int64 offset)
{
	if (gathered->len == 0)
		gathered->offset = offset;
	memcpy(gathered->room + gathered->len, bytes, (size_t)len);
	gathered->len += len;
	gathered->end = offset + len;
}

static bool commits(const char *head)
{
	static const char none[COMMIT_LEN];

	return memcmp(head + COMMIT_AT, none, COMMIT_LEN) != 0;
}

static int append(struct gathered *gathered, sqlite3_file *log, const void *bytes, int len,
		  sqlite3_int64 offset)
{
	int code = len <= GATHER_ROOM - gathered->len ? SQLITE_OK : gathered_flush(gathered, log);

	if (code != SQLITE_OK)
		return code;
	gather(gathered, bytes, len, offset);
	if (len == FRAME_HEAD)
		gathered->is_commit = commits(bytes);
	else if (gathered->is_commit)
		code = gathered_flush(gathered, log);
	return code;
}

/* A frame that a transaction has written before is written over at once. */
static int write_over(struct gathered *gathered, sqlite3_file *log, const void *bytes, int len,
		      sqlite3_int64 offset)
{
	int code = gathered_flush(gathered, log);

	return code != SQLITE_OK ? code : log->pMethods->xWrite(log, bytes, len, offset);
}

int gathered_write(struct gathered *gathered, sqlite3_file *log, const void *bytes, int len,
		   sqlite3_int64 offset)
{
	bool is_next = gathered->end == ANYWHERE || gathered->end == offset;

	if (!is_next || len > GATHER_ROOM)
		return write_over(gathered, log, bytes, len, offset);
	if (gathered->room == NULL)
		gathered->room = room_new();
	if (gathered->room == NULL)
		return SQLITE_IOERR_NOMEM;
	return append(gathered, log, bytes, len, offset);
}
