/* common/store/event.h - the events of a journal; inside the room only
 *
 * Each is one record of common/log, its kind the record's. docs/store.md lists the
 * fields. All spans point into what was decoded.
 */
#pragma once

#include "common/base/base.h"
#include "common/store/batch.h"
#include "common/store/change.h"
#include "common/store/view.h"

enum event_kind {
	EVENT_HEAD = 1,    /* first, twice: who the file is, and the state before it */
	EVENT_APPEND = 2,  /* a message */
	EVENT_FLAGS = 3,   /* of the messages in some ranges */
	EVENT_EXPUNGE = 4, /* as above */
	EVENT_COPY = 5,
	EVENT_MOVE = 6,
	EVENT_MAILBOX = 7,    /* made, renamed, subscribed: as it is now */
	EVENT_UNMAILBOX = 8,  /* deleted */
	EVENT_KEYWORD = 9,    /* has a bit */
	EVENT_RELOCATED = 10, /* a summary stands somewhere else now */
	EVENT_DROPPED =
	    11, /* a message that no sync had covered, torn by a power loss */
	EVENT_DELIVERIES = 12, /* known ids of messages that a compaction dropped */
	EVENT_SEALED = 13,     /* goes on in the next file, if there is one */
	EVENT_REPLACE =
	    14, /* EXPUNGE of what messages appended since `since` replace */
	EVENT_RESTORED = 15, /* one of these was torn: what `since` expunged is back */
	EVENT_SUBSCRIBED = 16, /* a name without a mailbox, or no more */
	EVENT_COMPACTED = 17,  /* in a snapshot: what was expunged by that time may not
				* be in it */
	EVENT_KINDS,
};

#define EVENT_VERSION 1

#define EVENT_APPEND_GUID_AT 32 /* in the payload */

/* Of a journal file. */
struct event_head {
	uint64_t account;
	uint64_t base;         /* position of the file's offset 0 */
	uint64_t previous_end; /* what the file before has beyond is void */
	uint32_t previous;     /* its number; 0: none */
	bool snapshot; /* all that is needed; files before it are obsolete, its events
			* are not counted in its own state */
	uint8_t boot[16];
};

/* Where the next record of a file goes. */
struct event_place {
	uint32_t number; /* 0: no file yet */
	uint64_t end;
};

/* What a writer must know of an account; reading a HEAD gives it. */
struct event_state {
	uint32_t next_mailbox;
	uint32_t last_uidvalidity;
	struct event_place data, summary, text;
};

struct event {
	enum event_kind kind;
	uint64_t modseq; /* of the event: where its record ends, unless it says so */
	int64_t time_us;
	uint32_t mailbox;
	struct span ranges; /* FLAGS EXPUNGE COPY MOVE REPLACE RESTORED: pairs of u32 */
	uint64_t n;         /* messages that ranges name */
	uint64_t bytes;     /* of those */
	int64_t unseen;     /* of those; FLAGS: by how much the count changes */
	struct store_record record; /* APPEND; without crc and journal place */
	uint32_t summary_bytes;     /* APPEND RELOCATED: payload of the summary */
	struct span prefix;         /* APPEND */
	struct span uidl;           /* APPEND */
	struct store_delivery_id delivery; /* APPEND DROPPED */
	enum store_flag_verb verb;         /* FLAGS */
	uint32_t flags;                    /* FLAGS */
	uint64_t keywords;                 /* FLAGS */
	uint32_t to, first;                /* COPY MOVE */
	uint64_t since; /* REPLACE: where its batch began; RESTORED: its modseq */
	uint32_t uid;   /* RELOCATED DROPPED */
	uint32_t summary_number, summary_offset; /* RELOCATED */
	struct store_mailbox box;                /* MAILBOX */
	uint8_t bit;                             /* KEYWORD */
	struct span name;                        /* KEYWORD SUBSCRIBED */
	bool on;                                 /* SUBSCRIBED */
	struct span list;                        /* DELIVERIES: ids of 16 bytes */
	struct event_head head;                  /* HEAD */
	struct event_state state;                /* HEAD */
	struct span boxes;                       /* HEAD: event_box_next() */
	struct span keywords_list;               /* HEAD: event_keyword_next() */
	struct span names;                       /* HEAD: event_name_next() */
	uint32_t file, offset;                   /* where it was read: journal.N */
};

/* Appends the payload. `modseq` 0 means: where the record ends. */
void event_put(const struct event *e, struct buf *out);

/* `position`: where the record ends. False when it is no event of this version;
 * *out is then not to be used. */
MUST_USE bool
event_get(uint16_t kind, struct span payload, uint64_t position, struct event *out);

/* The lists in a HEAD. */
void event_box_put(const struct store_mailbox *box, struct buf *out);
MUST_USE bool event_box_next(struct span *rest, struct store_mailbox *out);
void event_keyword_put(uint8_t bit, struct span name, struct buf *out);
MUST_USE bool event_keyword_next(struct span *rest, uint8_t *bit, struct span *name);

void event_name_put(struct span name, struct buf *out);
MUST_USE bool event_name_next(struct span *rest, struct span *name);

void event_range_put(struct store_range range, struct buf *out);
MUST_USE bool event_range_next(struct span *rest, struct store_range *out);

void event_delivery_put(struct store_delivery_id id, struct buf *out);
MUST_USE bool event_delivery_next(struct span *rest, struct store_delivery_id *out);
