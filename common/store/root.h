/* common/store/root.h - the directory that holds every account */
#pragma once

#include "common/base/base.h"

/* What a call on the store came to. Each call names those it can give. */
enum store_result {
	STORE_FAULT = -1, /* *err says why: a temporary failure for the client */
	STORE_OK,
	STORE_BUSY,    /* somebody else holds the lock: try again in some ms */
	STORE_NONE,    /* no such account, mailbox or message */
	STORE_EXISTS,  /* the name is taken */
	STORE_LIMIT,   /* one of the limits below */
	STORE_DAMAGED, /* this message can not be read back; others are not affected */
};

#define STORE_MAILBOXES_MAX     10000
#define STORE_MAILBOX_NAME_MAX  1000 /* bytes */
#define STORE_KEYWORDS_MAX      64   /* different ones in one account */
#define STORE_KEYWORD_NAME_MAX  200
#define STORE_SUBSCRIPTIONS_MAX 1000 /* of names without a mailbox */
#define STORE_UIDL_MAX          70   /* [RFC1939 7] */
#define STORE_PREFIX_MAX        (64u << 10)
#define STORE_BATCH_MAX         (64u << 20) /* bytes in one batch of several messages */
#define STORE_MESSAGE_MAX       (255u << 20) /* bytes of one */
/* A message tried again is looked for among the deliveries of that long, and among all
 * since it came. */
#define STORE_DELIVERY_LOOK_S (11u * 86400)
/* A compaction forgets ids of deliveries before that: no allowed queue_lifetime with
 * the longest time between two tries behind it is longer. */
#define STORE_DELIVERY_KEEP_S (70u * 86400)

struct log_io;

struct store_settings {
	uint64_t data_file_bytes;    /* a new data.N beyond; 0: 256 MiB */
	uint64_t journal_file_bytes; /* a new journal.N beyond; 0: 1 MiB */
	bool summarize;              /* render summaries at append */
	uint32_t copy_step; /* messages that store_catch_up() adds; 0: 20,000 */
};

/* Opens the directory, which must exist, and refuses network file systems. Null
 * on a fault. */
MUST_USE struct store *
store_new(const char *root, const struct store_settings *settings, struct err *err);

/* After all of its accounts were closed. */
void store_free(struct store **store);

/* All that was written to the file system of the store before the call is on disk.
 * For any thread, while others use store and accounts: it touches only the descriptor
 * of the directory. After a failure nothing appended since the last success may be
 * reported: store_abandon() each account. */
MUST_USE int store_sync_disk(const struct store *store, struct err *err);

/* Free bytes and inodes, for a program that waits for space to return. */
MUST_USE int store_space(const struct store *store, uint64_t *bytes, uint64_t *files,
			 struct err *err);

/* The account ids that have a directory, ascending; *ids freed with free(). */
MUST_USE int
store_accounts(const struct store *store, uint64_t **ids, size_t *n, struct err *err);
