/* imapd/session/inner.h - what the commands share; private to this room
 *
 * A command is a row of the table in commands.c: a function that is called until it
 * says RUN_DONE, each time for one bounded step, and keeps what it needs between in
 * session_work(), memory that is zeroed at first. Files are named by what they
 * hold: cmd_fetch.c, fetch_section.c.
 */
#pragma once

#include "common/base/base.h"
#include "common/imap/imap.h"
#include "common/mime/mime.h"
#include "common/store/store.h"
#include "imapd/session/account.h"
#include "imapd/session/session.h"
#include "imapd/session/view.h"

#define SESSION_STEP_US   2000 /* about that long works one step */
#define SESSION_ARENA_MAX (8u << 20)
#define SESSION_CODE_MAX  (1u << 20)
#define SESSION_PIECE_MAX (64u << 10) /* of a message put at once */

enum session_state {
	S_AUTHENTICATED = 1 << 0,
	S_SELECTED = 1 << 1,
	S_LOGOUT = 1 << 2,
	S_ANY = S_AUTHENTICATED | S_SELECTED,
};

enum run {
	RUN_DONE,  /* s->result holds the tagged answer */
	RUN_TURN,  /* more work: again next turn */
	RUN_ROOM,  /* `out` is at its high mark */
	RUN_LOCK,  /* STORE_BUSY: the same again in some ms */
	RUN_SYNC,  /* again when s->sync_position is durable; s->sync_failed if it never
		      is */
	RUN_ASK,   /* again after session_domain_use() */
	RUN_INPUT, /* it takes bytes from `in` itself, all of them, and needs more */
};

/* What one step has to work with. */
struct step {
	struct span *in;
	struct buf *out;
	int64_t now_us; /* wall clock */
};

/* What may be told before the tagged answer [RFC9051 7.5.1]. */
enum announce {
	ANNOUNCE_ALL,
	ANNOUNCE_KEEP, /* no EXPUNGE: numbers must not change (FETCH, STORE, SEARCH) */
	ANNOUNCE_NONE,
};

struct command {
	enum imap_command_id id;
	const char *name; /* for "FETCH completed" */
	unsigned states;
	enum run (*run)(struct session *s, struct step *step);
	void (*release)(
	    struct session *s); /* what `work` holds beyond itself; or null */
	enum announce announce; /* UID forms: ALL, whatever stands here, but NONE */
};

extern const struct command commands[];
extern const size_t n_commands;

enum session_phase {
	PHASE_READ, /* a command is being gathered */
	PHASE_DROP, /* a literal was refused: the rest of its command is dropped */
	PHASE_RUN,
	PHASE_SYNC, /* done_ok_durable() waits for the disk */
	PHASE_ANNOUNCE,
};

enum domain_use_state {
	DOMAIN_USE_UNASKED,
	DOMAIN_USE_KNOWN,
	DOMAIN_USE_UNKNOWN,
};

enum result_kind {
	RESULT_OK,
	RESULT_NO,
	RESULT_BAD,
};

struct session {
	LIST_ENTRY(session) of_account;
	const struct session_policy *policy;
	struct account *account;
	enum session_state state;
	unsigned enabled; /* enum imap_enable */

	struct imap_frame frame;
	/* The command under way; null between commands. */
	enum session_phase phase;
	const struct command *row;
	struct imap_command command;
	char tag[IMAP_TAG_MAX + 1];
	struct arena arena;
	void *work;
	/* APPEND, REPLACE: the message whose literal is announced in `frame`, which run
	 * has to take or refuse; null when the command ended without one. */
	struct imap_append_message *message;
	struct {
		enum result_kind kind;
		const char *text; /* null: "NAME completed" */
		struct buf code;  /* "COPYUID 1 2 3", or empty */
		bool durable;     /* only when sync_position is on disk */
	} result;
	bool idling;
	bool compressed;
	uint64_t sync_position; /* what is waited for; 0: nothing */
	bool sync_failed;
	struct {
		enum domain_use_state state;
		uint64_t bytes;
	} domain_use;        /* of the command; see quota.h */
	int64_t progress_us; /* when the client heard of the command last */

	struct view view;
	struct imap_ranges saved; /* uids: "$" [RFC5182] */
	unsigned errors;
	uint64_t n_commands;
	const char *reason;
};

/* --- session.c, for read.c ------------------------------------------------ */

/* The only place that changes the phase. */
void session_enter(struct session *s, enum session_phase to);
/* BYE, and the session is over. */
void
session_bye(struct session *s, struct buf *out, const char *text, const char *reason);

/* --- read.c: two phases; true when *want is to be given to the caller ----- */

MUST_USE bool
session_read(struct session *s, struct step *step, enum session_want *want);
MUST_USE bool
session_drop(struct session *s, struct step *step, enum session_want *want);
/* BYE: IMAP_FRAME_LOST. */
void bye_lost(struct session *s, struct buf *out);

/* --- result.c: the tagged answer; each gives RUN_DONE --------------------- */

enum run done_ok(struct session *s); /* "NAME completed" */
enum run done_ok_text(struct session *s, const char *text);
/* As done_ok(), but all that was appended or changed so far is waited for first; NO
 * when it cannot be made durable. */
enum run done_ok_durable(struct session *s);
/* The code is put into s->result.code before, or given here as "TRYCREATE". */
enum run done_no(struct session *s, const char *code, const char *text);
enum run done_bad(struct session *s, const char *text);
/* A store call gave FAULT, LIMIT, NONE, EXISTS or DAMAGED: logs a fault, answers NO
 * with the right code ([UNAVAILABLE], [LIMIT], [NONEXISTENT], [ALREADYEXISTS]). `what`
 * is for the log. BUSY is RUN_LOCK, not this. */
enum run done_store(struct session *s, enum store_result result, const char *what,
		    const struct err *err);

/* Logs a fault of the store or of the disk. */
void log_fault(const struct session *s, const char *what, const struct err *err);

/* The memory that the command keeps until its end; zeroed when it is asked for first.
 */
MUST_USE void *session_work(struct session *s, size_t bytes);

/* Waits for all that was appended or changed up to the first call in a command:
 * RUN_SYNC when that is not durable yet, RUN_DONE (with no result set) when it is, or
 * when s->sync_failed says that it never will be. */
enum run session_sync(struct session *s);

/* For commands that may take long: says so every 10 s [RFC9585]. `total` 0: unknown. */
void
session_progress(struct session *s, struct step *step, uint64_t done, uint64_t total);

/* A command that enables CONDSTORE [RFC7162 3.1]; tells HIGHESTMODSEQ when a mailbox is
 * selected and it was not enabled yet. */
void session_condstore(struct session *s, struct buf *out);

MUST_USE bool session_utf8(const struct session *s); /* names are UTF-8 */
MUST_USE bool session_full(const struct session *s, const struct buf *out);

/* The id of a mailbox by its name; 0: none. */
MUST_USE uint32_t session_mailbox(const struct session *s, struct span name);

/* Leaves the mailbox; the client is told by the caller. */
void session_deselect(struct session *s);
/* BYE: the mailbox was deleted by somebody else. */
void session_gone(struct session *s, struct buf *out);

/* Something that cannot be told to the client was changed: the owner syncs it soon. */
void session_changed(struct session *s);

/* imap_ranges and store_range have the same shape. */
static inline struct store_uids
session_uids(const struct imap_ranges *uids)
{
	_Static_assert(sizeof(struct imap_range) == sizeof(struct store_range),
		       "shape");
	return (struct store_uids){(const struct store_range *)(const void *)uids->at,
				   uids->n};
}

/* --- flags.c -------------------------------------------------------------- */

/* "(\Seen $Label)" of a record; with \Recent where that is due. */
void
put_flags(const struct session *s, const struct store_record *record, struct buf *out);
/* Bits for keywords named by a client; those unknown are added when `add`, else left
 * out. OK, BUSY, LIMIT, FAULT. */
MUST_USE enum store_result
flags_bits(struct session *s, const struct imap_flags *flags, bool add, int64_t now_us,
	   uint64_t *keywords, struct err *err);

/* --- capability.c --------------------------------------------------------- */

/* "IMAP4rev1 IMAP4rev2 ..." as it is now. */
void put_capabilities(const struct session *s, struct buf *out);

/* --- list.c --------------------------------------------------------------- */

/* "* LIST (\HasNoChildren) "/" name" of a mailbox that is there. */
void
put_list(const struct session *s, const struct store_mailbox *box, struct buf *out);
/* As above, with its name before [RFC9051 6.3.6.1]. */
void put_list_renamed(const struct session *s, const struct store_mailbox *box,
		      struct span old, struct buf *out);

/* --- status.c: for STATUS, LIST RETURN (STATUS), and others --------------- */

/* FLAGS and PERMANENTFLAGS, as they are now. */
void put_flags_lines(struct session *s, struct buf *out);
/* As above, when there are keywords that the client was not told of. */
void put_flags_news(struct session *s, struct buf *out);
/* "* 3 FETCH (FLAGS (\Seen))", with UID and MODSEQ where the client is owed them. */
void put_fetch_flags(const struct session *s, uint32_t number,
		     const struct store_record *record, struct buf *out);

/* "* VANISHED (EARLIER) 3:5,9" [RFC7162 3.2.10], in lines of bearable length, from
 * *told on, which moves along. False when `out` is at its high mark: call again. */
MUST_USE bool
put_vanished_earlier(const struct session *s, const struct imap_ranges *uids,
		     size_t *told, struct buf *out);

/* "* STATUS name (MESSAGES 3 ...)" */
void put_status(struct session *s, uint32_t mailbox, uint32_t items, struct buf *out);
/* "F12-1800000000" [RFC8474 4] */
void put_mailbox_id(const struct store_mailbox *box, struct buf *out);

/* --- commands: in cmd_FAMILY.c -------------------------------------------- */

enum run run_capability(struct session *s, struct step *step);
enum run run_noop(struct session *s, struct step *step);
enum run run_logout(struct session *s, struct step *step);
enum run run_id(struct session *s, struct step *step);
enum run run_enable(struct session *s, struct step *step);
enum run run_select(struct session *s, struct step *step); /* and EXAMINE */
void release_select(struct session *s);
enum run run_close(struct session *s, struct step *step);
enum run run_unselect(struct session *s, struct step *step);
enum run run_create(struct session *s, struct step *step);
enum run run_delete(struct session *s, struct step *step);
enum run run_rename(struct session *s, struct step *step);
enum run run_subscribe(struct session *s, struct step *step); /* and UNSUBSCRIBE */
enum run run_list(struct session *s, struct step *step);      /* and LSUB */
enum run run_namespace(struct session *s, struct step *step);
enum run run_status(struct session *s, struct step *step);
enum run run_idle(struct session *s, struct step *step);
enum run run_getquota(struct session *s, struct step *step); /* and GETQUOTAROOT */
enum run run_setquota(struct session *s, struct step *step);
enum run run_compress(struct session *s, struct step *step);

enum run run_append(struct session *s, struct step *step); /* and REPLACE */
void release_append(struct session *s);
enum run run_fetch(struct session *s, struct step *step);
void release_fetch(struct session *s);
enum run run_store(struct session *s, struct step *step);
void release_store(struct session *s);
enum run run_copy(struct session *s, struct step *step); /* and MOVE */
void release_copy(struct session *s);
enum run run_expunge(struct session *s, struct step *step);
void release_expunge(struct session *s);

/* --- cmd_expunge.c -------------------------------------------------------- */

/* "HIGHESTMODSEQ 715" into the answer, when QRESYNC is enabled [RFC7162 3.2.10]. */
void put_highestmodseq(struct session *s);

enum run run_search(struct session *s, struct step *step); /* and SORT, THREAD */
void release_search(struct session *s);
