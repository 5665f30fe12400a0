/* common/store/internal.h - what the files of this room share; nobody else's
 *
 * One account handle holds: the journal's last file, open for writing; the state
 * (mailboxes and counts) as of `state.position`; and, when somebody lists, a view
 * (messages) as of the same position. Everything that happens to either comes in
 * as an event, through account_apply(), whether it was read or just written.
 */
#pragma once

#include "common/log/log.h"
#include "common/mime/mime.h"
#include "common/store/event.h"
#include "common/store/store.h"

#define JOURNAL_KIND 0x4c4a5250u /* "PRJL" */
#define DATA_KIND    0x54445250u /* "PRDT" */
#define SUMMARY_KIND 0x4d535250u /* "PRSM" */
#define TEXT_KIND    0x58545250u /* "PRTX" */

#define DATA_RECORD    1 /* kinds of the one record that such a file has */
#define SUMMARY_RECORD 1

#define DATA_HEAD_BYTES   80u
#define SUMMARY_MAX       (8u << 20) /* payload; a larger one is not kept */
#define JOURNAL_EVENT_MAX (64u << 20)
#define JOURNAL_GAP       (UINT64_C(1) << 33) /* positions skipped after a power loss */

struct texts;
struct text_work;

enum file_sort {
	FILE_JOURNAL,
	FILE_DATA,
	FILE_SUMMARY,
	FILE_TEXT, /* not appended to with the others: text_fill.c */
	FILE_SORTS,
};

/* --- window.c: records of one file after the other ------------------------ */

#define WINDOW_MAX (256u << 10)

struct window {
	uint64_t salt, number; /* of the file */
	uint64_t base;         /* offset of the first byte */
	size_t n;              /* 0: nothing */
	char *at;
};

struct window_want {
	uint64_t offset;
	size_t hint; /* at least its payload, if that is known */
	uint16_t kind;
	size_t guid_at; /* in the payload */
	const uint8_t *guid;
};

struct store;

/* The record of that place, kind and guid, as log_fetch() has it, but its payload is in
 * the store's window for files of that sort, or in `hold` when it is large; it lives
 * until the next call for that sort. */
MUST_USE enum log_read
window_fetch(struct store *s, enum file_sort sort, const struct log_file *f,
	     const struct window_want *want, struct buf *hold,
	     struct log_record *record, struct err *err);
void windows_release(struct store *s);

struct store {
	const struct log_io *io;
	struct log_io lazy; /* as io, but new files are made durable by the next sync */
	int root;           /* -1: no directories, the one account is all */
	int lone;           /* its directory then */
	struct store_settings settings;
	struct text_charsets *charsets;
	struct mime_parser *parser;
	struct text_work *text_work; /* null until a text is asked for */
	uint64_t guid_high, guid_low;
	struct window windows[FILE_SORTS];
	uint8_t boot[16];
};

/* For tests: one account on any disk. */
MUST_USE struct store *
store_new_on(const struct log_io *io, int dir, const struct store_settings *settings,
	     struct err *err);

/* What the journal says of an account without its messages. */
struct state {
	uint64_t position;
	struct event_state tail;
	struct store_mailbox *boxes; /* ascending by id; names are owned */
	size_t n, size;
	struct span keywords[STORE_KEYWORDS_MAX]; /* owned; at null: free */
	struct span *names; /* subscribed, without a mailbox; owned */
	size_t n_names;
	struct store_usage usage;
};

void state_release(struct state *s);
/* Where a box of that id is, or would be. */
MUST_USE size_t state_place(const struct state *s, uint32_t id);
MUST_USE struct store_mailbox *state_box(const struct state *s, uint32_t id);
void state_apply(struct state *s, const struct event *e);
/* So many bytes of events are lost: no uid, id or UIDVALIDITY that they may have given
 * is given again (a copy gives as many uids as there are messages), nothing that they
 * may have appended is overwritten. */
void state_damage(struct state *s, uint64_t bytes);
/* Replaces all of s by what a HEAD says. */
void state_take(struct state *s, const struct event *head);
/* What the head's lists then point to is in `hold`, which the caller releases. */
#define STATE_HEAD_BUFS 3
void state_put_head(const struct state *s, struct event *head,
		    struct buf hold[STATE_HEAD_BUFS]);
MUST_USE bool state_name_has(const struct state *s, struct span name);
/* The same mailbox: its first level is INBOX in any case. */
MUST_USE bool name_same(struct span a, struct span b);

struct store_account;

/* --- view: the messages --------------------------------------------------- */

/* In flags, in memory only. */
#define RECORD_GONE    (1u << 31) /* expunged since the index was written */
#define RECORD_DROPPED (1u << 30) /* gone because it was torn */

struct box {
	uint32_t id;
	bool deleted;
	uint32_t deleted_s;
	struct store_record *base; /* as the index had them */
	size_t n_base;
	struct store_record *extra;
	size_t n_extra, size_extra;
	struct store_gone *gone;
	size_t n_gone, size_gone;
	uint64_t live, unseen, bytes;
	size_t n_listed; /* records whose append was durable when last looked at */
};

/* A copy that is not all there yet: lag.c. */
struct lag {
	bool on;
	struct event event;
	struct buf ranges; /* of the event */
	struct span rest;  /* of the ranges, behind the one under way ... */
	uint32_t last;     /* ... which ends there; 0: none is */
	uint32_t next;     /* uid of the next copy */
	size_t i, n; /* records of the source: the next, and how many there were */
};

struct view {
	struct box *boxes; /* ascending by id */
	size_t n, size;
	size_t last;  /* the box that was asked for last, most likely the next */
	void *memory; /* what the index held, changed since; null: there was none */
	size_t bytes;
	void *area; /* what memory is in, when it is large */
	size_t area_bytes;
	uint64_t saved;  /* position of the index on disk */
	uint64_t events; /* applied since */
	struct lag lag;
};

struct view *view_new(void);
void view_free(struct view **view);
MUST_USE struct box *view_box(struct view *v, uint32_t id);
MUST_USE struct box *view_box_make(struct view *v, uint32_t id);
/* Behind all that lags. */
void view_apply(struct view *v, const struct event *e);
/* Record number i of the source as message *next of the destination. */
void view_copy_one(struct view *v, size_t i, const struct event *e, uint32_t *next);

/* In place of view_apply(), for a COPY. */
void lag_begin(struct view *v, const struct event *e);
/* About n records more; true when all are there. */
MUST_USE bool lag_step(struct view *v, size_t n);
void lag_release(struct lag *lag);
/* How many are added at once. */
MUST_USE size_t lag_steps(const struct store_account *a);

static inline size_t
box_n(const struct box *b)
{
	return b->n_base + b->n_extra;
}

static inline struct store_record *
box_at(const struct box *b, size_t i)
{
	return i < b->n_base ? &b->base[i] : &b->extra[i - b->n_base];
}

/* The first record whose uid is not less. */
MUST_USE size_t box_lower(const struct box *b, uint32_t uid);
void box_add(struct box *b, const struct store_record *record);
void box_add_gone(struct box *b, uint32_t uid, uint64_t modseq);
MUST_USE uint32_t record_crc(const struct store_record *record);
MUST_USE uint32_t gone_crc(const struct store_gone *gone);

/* The index: index.c. Load: false when there is none that can be used. */
MUST_USE bool index_load(struct store_account *a, struct view *v, uint32_t *journal,
			 uint64_t *position);
void index_release(struct view *v);
MUST_USE int index_save(struct store_account *a, struct err *err);

/* A view as of the account's position. With the index, or from the journal alone:
 * then with the expunged ones, too, their flags RECORD_GONE. The lock is held. */
MUST_USE int
view_load(struct store_account *a, bool with_index, struct view **out, struct err *err);

/* The view as a->view, when there is none; the lock is held. */
MUST_USE int view_ensure(struct store_account *a, struct err *err);
/* As above when somebody reads and the view was lost. Should it fail, the next refresh
 * says why. */
void view_renew(struct store_account *a);

/* --- watch.c: what the watcher is told ------------------------------------ */

void watch_event(struct store_account *a, const struct event *e);
/* What has become durable and is in the view. */
void watch_listed(struct store_account *a);
/* A view was made. */
void watch_view(struct store_account *a);

/* --- known deliveries ----------------------------------------------------- */

struct deliveries {
	struct store_delivery_id *at; /* open addressing, a power of two */
	size_t n, size;
};

void deliveries_add(struct deliveries *d, struct store_delivery_id id);
void deliveries_remove(struct deliveries *d, struct store_delivery_id id);
MUST_USE bool deliveries_has(const struct deliveries *d, struct store_delivery_id id);
void deliveries_free(struct deliveries **d);
/* Gets a DELIVERIES event: its ids are at most as old as it. */
typedef void deliveries_told(void *context, const struct event *e);

/* All that arrived since, and some before; with `told` only those that no compaction
 * has told of yet, the others go there. Null on a fault. */
MUST_USE struct deliveries *
deliveries_load(struct store_account *a, int64_t since_us, deliveries_told *told,
		void *context, struct err *err);

static inline bool
delivery_none(struct store_delivery_id id)
{
	return id.queue_id == 0 && id.ordinal == 0 && id.spool == 0;
}

/* --- one account ---------------------------------------------------------- */

extern const struct file_kind {
	const char *prefix;
	uint32_t kind;
} file_kinds[FILE_SORTS];

struct batch {
	bool open;
	struct buf journal; /* whole records, to stand from journal.end on */
	struct buf heads;   /* what stands before and after contents, one by one */
	struct buf summary;
	struct piece {
		struct span content; /* at null: the next `content.n` bytes of heads */
	} * pieces;
	size_t n, size;
	bool expunges;       /* and appends no more */
	uint64_t data_start; /* offset where the pieces go */
	uint64_t data_bytes; /* of all pieces */
	uint64_t summary_start;
	struct buf scratch, payload;
};

struct store_account {
	struct store *store;
	uint64_t id;
	int dir;
	int lock; /* descriptor of the file `lock` */
	bool locked;
	bool wait;      /* for the lock */
	int64_t now_us; /* as the last call said */
	bool stale;     /* what is in memory is not to be believed: load it anew */
	uint64_t durable;
	uint64_t base;                     /* position of the journal file's offset 0 */
	uint64_t journal_end;              /* offset: where the next record goes */
	uint64_t headroom_number;          /* journal file that has blocks ... */
	uint64_t headroom_end;             /* ... up to this offset */
	struct log_file files[FILE_SORTS]; /* being appended to; fd -1: not open */
	struct log_file cached[FILE_SORTS]; /* another file, for reading */
	bool suspect;    /* a batch failed: what was tried may be there all the same */
	bool data_first; /* data are durable before the journal speaks of them */
	uint32_t data_named; /* the data file whose name is durable, if that is so */
	struct state state;
	struct view *view;
	bool viewed; /* somebody reads: a view that is lost is made anew */
	struct {
		store_watcher *call; /* or null */
		void *context;
		struct store_range *at; /* of the change that is told */
		size_t size;
		uint64_t durable, position; /* appends up to there are listed */
	} watch;
	struct deliveries *known; /* null: not loaded */
	int64_t known_since_us;   /* those that arrived since */
	struct texts *texts;      /* null: nobody asked */
	uint64_t written; /* position after the last own batch; 0: synced since */
	uint64_t seen;    /* the last position there was, while a load fails */
	uint64_t void_from,
	    void_to; /* positions (from, to] that are void; 0, 0: none */
	struct batch batch;
	struct buf summary; /* what store_summary_get() gave out */
	struct mime_place *places;
	struct buf content; /* a message being summarized or copied */
	struct buf prefix;  /* an event that holds a prefix */
	/* The large message that was found whole last. */
	struct {
		uint32_t number, offset; /* of its record; 0: none */
		uint8_t guid[STORE_GUID_BYTES];
		uint64_t content_at;
	} whole;
};

static inline struct log_dir
account_dir(const struct store_account *a, enum file_sort sort)
{
	return (struct log_dir){a->store->io, a->dir, file_kinds[sort].prefix,
				file_kinds[sort].kind};
}

void account_apply(struct store_account *a, const struct event *e);

#define STORE_PATH_BYTES 20 /* "3f/000000000000123f" and its NUL */
void account_path_put(uint64_t id, char path[STORE_PATH_BYTES]);

/* The account's directory, made when `mode` says so. OK, NONE, FAULT. */
MUST_USE enum store_result account_path_open(const struct store *s, uint64_t id,
					     unsigned mode, int *fd, struct err *err);

void texts_free(struct texts **texts);
/* Forgets all that is known of text.N. */
void texts_reset(struct store_account *a);
/* Messages may be at other places: none is known to have a text. */
void texts_look_again(struct store_account *a);
void text_work_free(struct text_work **work);

typedef void
texts_damage(void *context, uint32_t number, uint64_t offset, uint64_t bytes);

/* Reads every text.N; what is damaged is known to be missing then. */
MUST_USE int texts_check(struct store_account *a, texts_damage *each, void *context,
			 struct err *err);
/* Makes those that are missing or damaged. */
MUST_USE enum store_result texts_rebuild(struct store_account *a, struct err *err);

/* Reads the last journal file (and with it all of the state), mends what a crash
 * left, starts a new file when that is due. The lock is held. */
MUST_USE int account_load(struct store_account *a, struct err *err);

/* Appended messages that no sync is known to have covered. */
struct pending {
	struct pending_message {
		struct store_record record;
		struct store_delivery_id delivery;
	} * at;
	size_t n, size;
	/* Expunges that hold only with appends of their batch. */
	struct pending_replace {
		uint64_t since, modseq;
		uint32_t mailbox;
		uint64_t n, bytes;
		int64_t unseen;
		struct buf ranges;
		bool torn;
	} * replaces;
	size_t n_replaces;
};

/* Makes what is in the journal durable: it may be in memory only, or (after a power
 * loss) torn in the data: such messages are dropped. The lock is held. */
MUST_USE int
load_settle(struct store_account *a, struct pending *pending, struct err *err);
/* A message is dropped: what a batch with it replaced does not hold. */
void pending_torn(struct pending *p, const struct store_record *dropped);
/* Learns what others appended. With `to_end` (the lock is held) all of it, else what
 * is durable. OK, BUSY (not with `to_end`), FAULT. */
MUST_USE enum store_result
account_follow(struct store_account *a, bool to_end, struct err *err);

/* store_sync() with the lock held. */
MUST_USE int account_sync(struct store_account *a, struct err *err);
/* As above, but nothing is abandoned. *broken: a sync failed. */
MUST_USE int
account_sync_or_not(struct store_account *a, bool *broken, struct err *err);

/* A file by number for reading; stays the account's. OK, NONE, FAULT. */
MUST_USE enum store_result
account_file(struct store_account *a, enum file_sort sort, uint32_t number,
	     const struct log_file **out, struct err *err);
/* A new file, numbered above all there are and above `above`, to be appended to. */
MUST_USE int account_file_new(struct store_account *a, enum file_sort sort,
			      uint64_t above, struct err *err);
/* Closes those that are only read, for one of them may be gone, and its number taken.
 */
void account_cached_close(struct store_account *a);
/* Closes all of them. */
void account_files_close(struct store_account *a);

/* The lock: lock.c. OK, BUSY (never when both `wait` and the account wait; also when
 * the view lags, of which a step is done then), FAULT. */
MUST_USE enum store_result
account_lock(struct store_account *a, bool wait, struct err *err);
void account_unlock(struct store_account *a);
/* What the lock file says to be durable; at least what is known here. */
void durable_read(struct store_account *a);
MUST_USE int durable_write(struct store_account *a, uint64_t position, struct err *err);

MUST_USE int batch_flush_data(struct store_account *a, struct err *err);
MUST_USE int batch_flush_summary(struct store_account *a, struct err *err);
void batch_init(struct batch *b);
void batch_release(struct batch *b);
void batch_forget(struct batch *b);
/* Writes what the open batch holds and ends it; the lock stays. */
MUST_USE int batch_write(struct store_account *a, struct err *err);
/* Appends an event to the batch's journal and applies it. */
void batch_event(struct store_account *a, struct event *e);
MUST_USE bool batch_journal_room(const struct store_account *a, size_t n);

/* Blocks behind the end of the journal, so that messages can be marked and deleted when
 * the disk is full. Only a help: nothing depends on it. */
void headroom_keep(struct store_account *a);

/* A record around `payload` at `offset` of the file, appended to out. */
void frame_put(const struct log_file *f, uint64_t offset, uint64_t synced,
	       uint16_t kind, struct span payload, struct buf *out);

/* All of v to one place; goes on after a short write. Changes v. */
MUST_USE int file_write(const struct log_file *f, struct iovec *v, size_t n,
			uint64_t offset, struct err *err);

/* A new journal file, whose HEAD is the state; the old one, if there is one, is sealed.
 * `like`: snapshot; previous_end, or 0 for all of it; base: JOURNAL_GAP to skip that
 * many positions, else 0. On a fault the account is stale. */
MUST_USE int
journal_roll(struct store_account *a, const struct event_head *like, struct err *err);

/* Says in the file that it goes on in the next; the lock is held. */
MUST_USE int journal_seal(struct store_account *a, struct err *err);

/* --- the journal's files one after the other: chain.c --------------------- */

struct chain_file {
	uint64_t number;
	struct event_head head;
	int64_t time_us;
	uint64_t end; /* offset: what is beyond is void */
};

struct chain {
	const struct store_account *account;
	struct chain_file *at; /* ascending; the last is the account's tail */
	size_t n;
};

/* The files from the one that has `position` on; 0: all that are needed. OK, NONE when
 * they do not reach back that far, FAULT. */
MUST_USE enum store_result chain_open(struct store_account *a, uint64_t position,
				      struct chain *out, struct err *err);
void chain_release(struct chain *c);

struct chain_walk {
	/* Each event after `from` up to `to`; false ends the walk. */
	bool (*event)(struct chain_walk *w, const struct event *e);
	/* Bytes that are no event; may be null. */
	void (*damage)(struct chain_walk *w, const struct log_record *where,
		       uint32_t number);
	void *context;
};

/* The events beyond position `from` up to position `to`. */
MUST_USE int chain_walk(const struct chain *c, uint64_t from, uint64_t to,
			struct chain_walk *w, struct err *err);
/* All that the account's journal still tells, from its oldest file on. */
MUST_USE int
chain_walk_all(struct store_account *a, struct chain_walk *w, struct err *err);

/* Finds a HEAD at the front of a file. OK, NONE (it has none), FAULT. */
MUST_USE enum store_result chain_head(const struct log_file *f, struct event *head,
				      struct buf *hold, struct err *err);

/* --- data and summary records --------------------------------------------- */

struct data_head {
	uint8_t guid[STORE_GUID_BYTES];
	uint32_t mailbox, uid;
	int64_t internal_us, saved_us;
	struct store_delivery_id delivery;
	uint64_t content_bytes;
	uint32_t flags;
};

void data_head_put(const struct data_head *head, struct buf *out);
MUST_USE bool data_head_get(struct span payload, struct data_head *out);

/* Is the content of a message whole? In bounded memory; *content_at says where it
 * starts in the file. OK, DAMAGED, NONE (file gone), FAULT. */
MUST_USE enum store_result
data_check(struct store_account *a, const struct store_record *r,
	   const struct log_file **file, uint64_t *content_at, struct err *err);
/* All of it, checked; *content lives until the next call, or as long as `hold`. As
 * above. */
MUST_USE enum store_result
data_fetch(struct store_account *a, const struct store_record *r, struct buf *hold,
	   struct span *content, struct err *err);

void summary_put(const struct mime_summary *s, const uint8_t guid[STORE_GUID_BYTES],
		 struct buf *out);
MUST_USE bool summary_decode(struct span payload, const uint8_t guid[STORE_GUID_BYTES],
			     struct store_summary *out);
/* The parts of a summary that was decoded, in *places, which grows. */
void summary_places(struct store_summary *s, struct mime_place **places);
MUST_USE uint64_t thread_key(const struct mime_summary *s);
/* The payload of a message's summary, made from its content. OK, NONE (its file is
 * gone), DAMAGED (the content is), LIMIT (too large to be kept), FAULT. */
MUST_USE enum store_result
summary_render(struct store_account *a, const struct store_record *r, struct buf *out,
	       struct err *err);
/* Is there one, undamaged? */
MUST_USE bool summary_good(struct store_account *a, const struct store_record *r);
/* Makes summary.N ready for a record of n bytes at state.tail.summary. */
MUST_USE int summary_open(struct store_account *a, uint64_t n, struct err *err);

/* --- content.c ------------------------------------------------------------ */

/* What an APPEND has for one message alone. */
struct append_texts {
	struct span uidl, prefix;
};

/* As prefix_get(), both. */
MUST_USE enum store_result
append_texts_get(struct store_account *a, const struct store_record *r,
		 struct buf *hold, struct append_texts *out, struct err *err);

/* The prefix of a message; lives until the next call, or as long as `hold`. OK,
 * DAMAGED, NONE (file gone), FAULT. */
MUST_USE enum store_result
prefix_get(struct store_account *a, const struct store_record *r, struct buf *hold,
	   struct span *out, struct err *err);
