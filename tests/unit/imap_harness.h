/* tests/unit/imap_harness.h - sessions of one account on a store in a directory of its
 * own
 *
 * Plays the part of imapd: what a session wants is done at once. LOCK: again; SYNC:
 * store_sync(), unless `hold_sync`; TURN: again; ROOM: the output is taken away.
 */
#pragma once

#include "imapd/session/inner.h"
#include "tests/unit/store_fixture.h"

#define HARNESS_SESSIONS 8

struct harness_session {
	struct session *session;
	struct buf out;     /* what the client has not read yet */
	struct buf all;     /* what was taken out of `out` */
	struct buf pending; /* input that was not taken yet */
	enum session_want want;
	bool deflating; /* COMPRESS was wanted once */
	uint64_t steps;
};

struct harness {
	struct fixture
	    f; /* its account is the sessions'; closed by harness_release() */
	struct session_policy policy;
	struct account *account;
	struct harness_session at[HARNESS_SESSIONS];
	bool domain_known; /* what ASK is answered */
	uint64_t domain_bytes;
	unsigned asked;
	bool hold_sync;  /* SYNC is not done: session_step() is not called again */
	bool fail_sync;  /* SYNC fails */
	int64_t step_us; /* each step takes that long */
	bool measure;    /* how long the longest step of a command takes: */
	double longest_ms;
	/* Called when a session wants TURN or ROOM: others may be served. */
	void (*between)(void *context);
	void *context;
	struct store_account *other; /* as another process has it; harness_other() */
};

void harness_init(struct harness *h);
/* With a policy and a store of the test's own. */
void harness_init_with(struct harness *h, const struct session_policy *policy,
		       const struct store_settings *settings);
void harness_release(struct harness *h);

/* Session number i, opened without its greeting. */
struct session *harness_session(struct harness *h, size_t i);
void harness_end(struct harness *h, size_t i);

/* The client of session i sends; returns when it waits for input (or is closed, or
 * waits for a sync that is held). What it answered since the last call; lives until
 * the next on this session. */
struct span harness_send(struct harness *h, size_t i, struct span bytes);
/* A C string. */
struct span harness_say(struct harness *h, size_t i, const char *text);
/* As above, byte by byte. */
struct span harness_send_bytewise(struct harness *h, size_t i, struct span bytes);
/* What others did reaches an idling session. */
struct span harness_push(struct harness *h, size_t i);
/* Goes on after hold_sync. */
struct span harness_go_on(struct harness *h, size_t i);

/* Fails the test, showing both, when they differ. */
void harness_expect(struct harness *h, size_t i, const char *send, const char *want);

/* Through the account of the sessions, and synced: its uid. */
uint32_t
harness_append(struct harness *h, uint32_t mailbox, const char *text, uint32_t flags);
/* n small messages, in one batch. */
void harness_fill(struct harness *h, uint32_t mailbox, size_t n);
/* A handle as another process has it. */
struct store_account *harness_other(struct harness *h);
/* By another process: delivered and synced. */
uint32_t harness_deliver(struct harness *h, uint32_t mailbox, const char *text);

MUST_USE uint32_t harness_mailbox(struct harness *h, const char *name);
