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
		uint32_t uid;      /* of what the account has */
		uint32_t source;   /* of what is remembered: a number in past.sources */
		uint32_t flags;    /* as above: what the source had */
		uint64_t keywords; /* the same, bits of the account */
		bool used;
		bool met; /* in this run */
	} * at;
	size_t n, size;
};

/* False when it was there. */
bool
guids_add(struct guids *set, const uint8_t guid[STORE_GUID_BYTES], uint32_t mailbox);
/* The row, which is new, and else zero, when there was none; until the next one. */
struct guid_row *
guids_have(struct guids *set, const uint8_t guid[STORE_GUID_BYTES], uint32_t mailbox);
/* Null when there is none. */
MUST_USE struct guid_row *
guids_find(const struct guids *set, const uint8_t guid[STORE_GUID_BYTES],
	   uint32_t mailbox);
MUST_USE bool guids_has(const struct guids *set, const uint8_t guid[STORE_GUID_BYTES],
			uint32_t mailbox);
void guids_release(struct guids *set);

/* --- past.c: what the sources looked like when they were read last --------- */

#define PAST_SOURCE_BYTES 16
#define PAST_SOURCES_MAX  1000

struct past {
	struct guids rows;
	uint8_t sources[PAST_SOURCES_MAX][PAST_SOURCE_BYTES];
	uint32_t n_sources;
	uint32_t source; /* the one that is read now */
	/* Of this source, by mailbox: what it had. */
	struct past_had {
		uint8_t guid[STORE_GUID_BYTES];
		uint32_t mailbox;
	} * had;
	size_t n_had;
	uint64_t names[STORE_KEYWORDS_MAX]; /* bits here of bits there */
};

/* What stands in the notes of an earlier import; false: in no way we know, and what was
 * taken is to be released. `bits`: those that the keyword of that name has now, 0:
 * none. */
typedef uint64_t past_keyword(const void *context, struct span name);
MUST_USE bool
past_parse(struct past *p, struct span notes, past_keyword *bits, const void *context);
/* The source is `path`, imported into the mailbox `into`. */
void past_begin(struct past *p, const char *path, struct span into);
/* Those it had in a mailbox, in no order. */
MUST_USE const struct past_had *
past_had_in(const struct past *p, uint32_t mailbox, size_t *n);
typedef struct span past_keyword_name(const void *context, int bit);
typedef bool past_keep(const void *context, const struct guid_row *row);
/* Appends the notes: the rows that `keep` wants. */
void past_put(const struct past *p, past_keyword_name *name, past_keep *keep,
	      const void *context, struct buf *out);
void past_release(struct past *p);

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
	struct past past;
	struct guids visited; /* mailboxes of the account, without guid */
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
	struct level_row {
		uint32_t uid;
		uint32_t flags_on, flags_off;
		uint64_t keywords_on, keywords_off;
	} * level; /* flags to change */
	size_t n_level, size_level;
	struct transfer_counts counts;
};

/* Who the message is; the second of one name is somebody else. */
void import_identify(const struct import_box *box, struct guids *met,
		     const struct mail_message *m, struct identity *who);

void late_add(struct import_box *box, size_t index, const struct identity *who);

/* -1 on a fault. The source's mailbox is loaded. */
MUST_USE int import_box(struct import *im, const struct mail_box *from);
/* In a dry run. */
MUST_USE int import_box_dry(struct import *im, const struct mail_box *from);

/* --- import_keywords.c ---------------------------------------------------- */

/* Gives the account those that messages have. OK, BUSY, FAULT; what does not fit is
 * counted and noted. */
MUST_USE enum store_result import_keywords_have(struct import_box *box);
/* The bits that they have, or would get. */
void import_keywords_guess(struct import_box *box);
/* The account's bits of the source's. */
MUST_USE uint64_t import_keywords(const struct import_box *box, uint64_t keywords);

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

/* --- level.c: what changed at the source since the last run ----------------- */

/* A message that is known. */
void level_message(struct import_box *box, const struct mail_message *m,
		   const struct identity *who);
/* One that has come now. */
void level_arrived(struct import_box *box, const struct mail_message *m,
		   const struct identity *who);
/* Changes what level_message() found to change, but in a dry run. */
MUST_USE int level_apply(struct import_box *box);
/* Counts what the source has no more in this mailbox, and deletes it when that is
 * wanted. The source's mailbox is loaded anew. */
MUST_USE int level_gone(struct import_box *box);
/* This mailbox of the account is one of the source's. */
void level_visit(struct import *im, uint32_t mailbox);
/* The same of mailboxes that the source has no more. */
MUST_USE int level_gone_boxes(struct import *im);
/* What was remembered, and what is to be. */
MUST_USE int level_begin(struct import *im);
MUST_USE int level_end(struct import *im);

/* --- verify.c ------------------------------------------------------------- */

/* Reads back what has come. */
MUST_USE int import_verify(struct import_box *box, uint8_t digest[DIGEST_BYTES]);
