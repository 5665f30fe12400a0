/* common/transfer/import_internal.h - the parts of an import */
#pragma once

#include "common/transfer/transfer.h"

#define IMPORT_BATCH_BYTES    (8u << 20) /* in memory, written under one lock */
#define IMPORT_BATCH_MESSAGES 500
#define IMPORT_SYNC_BYTES     (128u << 20) /* written with one sync */
#define IMPORT_SYNC_MESSAGES  20000

/* --- identity.c ----------------------------------------------------------- */

#define DIGEST_BYTES 32

void digest_of(struct span bytes, uint8_t out[DIGEST_BYTES]);

/* Who a message of the source is in the account. */
struct identity {
	uint8_t guid[STORE_GUID_BYTES];
	bool own; /* the guid is made of who it is, not of whose bytes it has */
	struct store_delivery_id delivery;
};

/* `again`: how many of that name were met in the mailbox before. */
void identity_make(struct span mailbox, const struct mail_message *m, unsigned again,
		   struct identity *out);

/* A set of guids, each in a mailbox; mailbox 0 is another one. */
struct guids {
	struct guid_row {
		uint8_t guid[STORE_GUID_BYTES];
		uint32_t mailbox;
		bool used;
	} * at;
	size_t n, size;
};

/* False when it was there. */
bool
guids_add(struct guids *set, const uint8_t guid[STORE_GUID_BYTES], uint32_t mailbox);
MUST_USE bool guids_has(const struct guids *set, const uint8_t guid[STORE_GUID_BYTES],
			uint32_t mailbox);
void guids_release(struct guids *set);

/* --- uidl.c --------------------------------------------------------------- */

/* The unique-id by a pop3_uidl_format: %u UID, %v UIDVALIDITY, %f the file's name, %g
 * the guid, each with a width, 'X' (or 'x') for hexadecimal; anything else is itself.
 * False when what comes out is none. */
MUST_USE bool uidl_format(const char *format, const struct mail_message *m,
			  uint32_t uidvalidity, struct buf *out);

/* --- import.c ------------------------------------------------------------- */

struct import {
	struct store_account *account;
	struct mail_source *source;
	const struct transfer_options *options;
	const struct transfer_callbacks *calls;
	struct transfer_counts *counts; /* of all */
	struct guids known;             /* what the account has, also as mailbox 0 */
	uint64_t done, total;
	uint64_t unsynced_bytes, unsynced;
	bool stopped;
	struct err *err;
};

void
import_note(struct import *im, struct span mailbox, const char *path, const char *text);
/* What is written is durable. */
MUST_USE int import_sync(struct import *im);

/* --- import_box.c: one mailbox -------------------------------------------- */

/* A message that came in this run. */
struct arrived {
	uint32_t uid;
	uint8_t digest[DIGEST_BYTES];
};

struct import_box {
	struct import *im;
	const struct mail_box *from;
	struct span name; /* in the account */
	uint32_t id;
	bool keep;                                /* UIDs */
	uint32_t next;                            /* its UIDNEXT, as far as is known */
	bool inbox;                               /* of the source: POP3 shows it */
	uint64_t keyword_bits[MAIL_KEYWORDS_MAX]; /* the account's, 0: none */
	struct guids met;                         /* guids of the source's messages */
	struct arrived *arrived;
	size_t n_arrived, size_arrived;
	struct late {
		size_t index;
		struct identity who;
	} * late; /* messages whose UID is taken */
	size_t n_late, size_late;
	struct transfer_counts counts;
};

void late_add(struct import_box *box, size_t index, const struct identity *who);

/* -1 on a fault. The source's mailbox is loaded. */
MUST_USE int import_box(struct import *im, const struct mail_box *from);
/* In a dry run. */
MUST_USE int import_box_dry(struct import *im, const struct mail_box *from);

/* --- import_batch.c ------------------------------------------------------- */

struct batch_row {
	size_t index; /* of the message */
	size_t offset, bytes;
	struct identity who;
	uint8_t digest[DIGEST_BYTES];
	uint32_t uid; /* to get; 0: the next */
};

struct import_batch {
	struct buf bytes;
	struct batch_row *rows;
	size_t n;
};

void import_batch_init(struct import_batch *b);
void import_batch_release(struct import_batch *b);
/* Reads the message. False when it is not to be had, which was noted and counted. */
MUST_USE int
import_batch_read(struct import_batch *b, struct import_box *box, size_t index,
		  const struct identity *who, uint32_t uid, bool *taken);
MUST_USE bool import_batch_is_full(const struct import_batch *b);
/* Appends all it holds, and is empty. */
MUST_USE int import_batch_write(struct import_batch *b, struct import_box *box);

/* --- verify.c ------------------------------------------------------------- */

/* Reads back what has come. */
MUST_USE int import_verify(struct import_box *box, uint8_t digest[DIGEST_BYTES]);
