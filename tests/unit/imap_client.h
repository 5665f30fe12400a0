/* tests/unit/imap_client.h - what a client knows, from nothing but what it was told
 *
 * Reads responses and checks what may be checked by itself [RFC9051 7] [RFC7162]: that
 * numbers are those of messages, that EXISTS only grows, that nothing is expunged while
 * numbers must stay, that UID and MODSEQ of a message are what they were or later.
 */
#pragma once

#include "tests/unit/imap_harness.h"

#define CLIENT_MESSAGES 2000

enum {
	CLIENT_KEYWORD = 1 << 8
}; /* "k0"; the next bits are "k1" .. "k3" */
#define CLIENT_KEYWORDS 4

struct client_message {
	uint32_t uid; /* 0: not told yet */
	uint32_t flags;
	bool flags_told;
	uint64_t modseq; /* 0: not told */
};

struct client {
	struct client_message at[CLIENT_MESSAGES];
	size_t n;
	bool selected;
	bool numbers_stay; /* the command under way forbids EXPUNGE */
	bool selecting;    /* what follows is of another mailbox */
	bool condstore, qresync, rev2;
	uint32_t uidvalidity, uidnext;
	uint64_t highest;

	/* Of the last call: */
	uint32_t fetched[CLIENT_MESSAGES]; /* numbers that came with FETCH */
	size_t n_fetched;
	uint32_t found[CLIENT_MESSAGES]; /* SEARCH */
	size_t n_found;
	struct imap_ranges vanished; /* (EARLIER), in order */
	uint64_t status_highest;
	uint32_t status_messages, status_uidnext, status_unseen;
	char tagged[512]; /* "OK [READ-WRITE] SELECT completed" */
	bool bye;
	const char *fault; /* what was wrong, or null */
	char fault_line[256];
};

void client_read(struct client *c, struct span bytes);
/* Its mailbox is left, or lost. */
void client_forget(struct client *c);
/* The message of that uid, or null. */
struct client_message *client_find(struct client *c, uint32_t uid);

/* "1:3,5" as numbers; false for anything else. */
MUST_USE bool client_set(struct span text, uint32_t *out, size_t max, size_t *n);
/* What stands behind "[NAME " in the tagged answer, up to "]". */
MUST_USE struct span client_code(const struct client *c, const char *name);
