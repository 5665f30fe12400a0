/* imapd/session/view.h - the messages of the selected mailbox, as this client knows
 * them
 *
 * What    numbers are fixed until the protocol allows a change [RFC9051 7.4.1, 7.5.1]:
 *         the view keeps the uids that were announced, in order, and what has happened
 *         since and is not told yet. Number n is uids[n - 1].
 * Memory  4 bytes a message; what is untold is bounded: beyond VIEW_UNTOLD_MAX ranges
 * all messages are compared instead.
 */
#pragma once

#include "common/base/base.h"
#include "common/imap/imap.h"
#include "common/store/store.h"

#define VIEW_UNTOLD_MAX 1000

struct session;

struct view {
	uint32_t mailbox; /* 0: none is selected */
	bool read_only;
	uint32_t *uids;
	size_t n, size;
	uint32_t uidvalidity;
	uint32_t uidnext;            /* announced messages are below it */
	uint64_t modseq;             /* all changes up to it are told or noted below */
	uint64_t told_modseq;        /* all changes up to it were told */
	struct imap_ranges flags;    /* uids whose flags are untold */
	struct imap_ranges expunged; /* uids that are gone, untold; as they were noted:
				      * view_expunged_settle() */
	struct imap_ranges recent;   /* uids that are \Recent here */
	struct imap_ranges held;     /* view_silent_begin() */
	uint64_t held_modseq;
	bool silent;
	bool appended;     /* there may be new messages */
	bool all;          /* compare all messages: the notes are not whole */
	bool gone;         /* the mailbox was deleted */
	uint32_t unseen;   /* the first without \Seen when it was opened; 0: none */
	uint64_t keywords; /* bits of those told in FLAGS */
};

/* Takes the messages there are; a mailbox selected before is left. */
void view_open(struct session *s, uint32_t mailbox, bool read_only);
void view_close(struct session *s);
/* The same, between two commands: the account keeps what was known for the next. */
void view_leave(struct session *s);

/* Called by the account for each change; notes it, says nothing. */
void view_note(struct view *v, const struct store_change *change);

/* STORE .SILENT: of the changes that are noted between the two, that of flags with this
 * modseq (the client's own; 0: there was none) is not told. */
void view_silent_begin(struct view *v);
void view_silent_end(struct view *v, uint64_t modseq);

MUST_USE bool view_recent(const struct view *v, uint32_t uid);
MUST_USE size_t view_recent_count(const struct view *v);

/* Untagged responses for all that is untold: EXISTS, FETCH with flags, and, when
 * `expunges`, EXPUNGE or VANISHED [RFC7162 3.2.10]. False when `out` is at its high
 * mark: call again. */
MUST_USE bool view_announce(struct session *s, bool expunges, struct buf *out);
MUST_USE bool view_has_news(const struct session *s);
/* Makes view.expunged whole, and puts it in order. */
void view_expunged_settle(struct session *s);

/* 0 when there is none. */
MUST_USE uint32_t view_uid(const struct view *v, uint32_t number);
MUST_USE uint32_t view_number(const struct view *v, uint32_t uid);
/* How many of its first n uids are less. */
MUST_USE size_t view_lower(const struct view *v, size_t n, uint32_t uid);

/* The message numbers a client's set means: of a UID set those that are there; of
 * numbers, false when one is beyond the last message (BAD). "$" is the saved result. */
MUST_USE bool view_resolve(const struct session *s, const struct imap_set *set,
			   bool uid, struct imap_ranges *numbers);
/* Of uids in order, the numbers of those that are there. */
void view_numbers(const struct view *v, const struct imap_ranges *uids,
		  struct imap_ranges *numbers);
/* The same messages as uids, merged: for the store. */
void view_uids(const struct view *v, const struct imap_ranges *numbers,
	       struct imap_ranges *uids);

/* A walk over messages that goes on over many steps; a value, zero to begin. */
struct view_walk {
	size_t range;
	uint32_t number; /* the last given */
	const struct store_record *record;
	uint64_t epoch;
};

/* The next of `numbers`, O(1) when they are neighbours. False after the last. *record
 * is null when the message was expunged by somebody else: its place is still there.
 * Valid until the next call on the account that is not a pure reader. */
MUST_USE bool
view_next(const struct session *s, const struct imap_ranges *numbers,
	  struct view_walk *walk, uint32_t *number, const struct store_record **record);

/* Inside the view: takes messages that are new, and says how many. */
size_t view_take_new(struct session *s);
/* Puts notes in order. */
void view_sort_notes(struct imap_ranges *notes);
