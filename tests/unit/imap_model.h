/* tests/unit/imap_model.h - what is true of an account, and who plays on it
 *
 * See test_imap_model.c.
 */
#pragma once

#include "tests/unit/imap_client.h"

#define SESSIONS     4
#define BOXES        4
#define MESSAGES_MAX 60 /* about that many in a mailbox */
#define TRACE_LINES  100
#define ALL_FLAGS    (STORE_FLAGS | 15u * CLIENT_KEYWORD)

struct fact {
	uint32_t uid;
	uint32_t flags;
	uint64_t modseq; /* of the flags as they are; 0: nobody saw it */
	uint64_t least;  /* the next must be above */
};

struct box {
	char name[20]; /* empty: there is none */
	uint32_t id, uidvalidity, uidnext;
	struct fact at[CLIENT_MESSAGES];
	size_t n;
	uint64_t highest;
};

struct player {
	struct client client;
	struct box *box; /* selected, or null */
	bool read_only;
	bool idling;
	/* A COPY or APPEND that waits for the disk: nobody may see what it made. */
	struct {
		struct box *box;
		struct fact at[CLIENT_MESSAGES];
		size_t n;
	} held;
	/* What it knew when it left a mailbox, to resynchronise with. */
	struct {
		struct box *box;
		struct fact at[CLIENT_MESSAGES];
		size_t n;
		uint64_t highest;
		uint32_t uidvalidity, uidnext;
	} cache;
};

struct game {
	struct harness h;
	struct store_account *deleter;
	struct box boxes[BOXES];
	struct player players[SESSIONS];
	uint64_t random;
	uint64_t n_commands;
	char trace[TRACE_LINES][200];
	size_t n_trace;
	struct buf line;
	/* While the command under way waits, others may play: `meanwhile`. Its answer
	 * is then of more than one time. */
	bool may_wait, waited;
	struct player *busy;
	void (*meanwhile)(struct game *g);
};

struct chosen {
	char text[200];
	bool uid;
	bool in[CLIENT_MESSAGES]; /* by the client's numbers, from 0 */
};

/* As SEED= and COMMANDS= say. */
extern uint64_t seed, commands_max;

/* imap_model.c */
/* Below that. */
uint32_t draw(struct game *g, uint32_t below);
/* For who looks at a run that was lost. */
void trace(struct game *g, const char *who, struct span text);
/* Ends the run. */
void lose(struct game *g, const char *why, const char *detail);

struct fact *fact_find(struct box *b, uint32_t uid);
void fact_add(struct game *g, struct box *b, uint32_t flags);
/* Somebody synced: what was held can be seen. */
void truth_synced(struct game *g);
/* What a client is told of it. */
uint32_t visible_uidnext(const struct game *g, const struct box *b);
/* It never goes back, but before what is not durable yet. */
void highest_check(struct game *g, struct box *b, uint64_t highest);
void fact_remove(struct box *b, uint32_t uid);
void fact_flags(struct fact *f, uint32_t flags);

/* What the client saw of the messages is true, as far as it can know. */
void check_fetched(struct game *g, struct player *p);
/* The session is over; another begins with the next line. */
void player_lost(struct game *g, struct player *p);
void hear(struct game *g, struct player *p, struct span got);
void send_line(struct game *g, struct player *p, const char *text);
/* The last answer was. */
bool ok(const struct player *p);
/* "t " and CRLF are added. True for OK. */
bool say(struct game *g, struct player *p, const char *text);
bool sayf(struct game *g, struct player *p, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* As a client does that was told of messages by EXISTS alone. */
void learn(struct game *g, struct player *p);
/* The client knows all that is true. */
void check_all(struct game *g, struct player *p);
/* As above, after a NOOP. */
/* A command during which others may play. */
void may_wait(struct game *g, struct player *p);
/* After it: whether somebody did. */
bool waited(struct game *g, const struct player *p);
void settle(struct game *g, struct player *p);

#define MUST(g, condition)                                                             \
	do {                                                                           \
		if (!(condition))                                                      \
			lose((g), #condition, NULL);                                   \
	} while (0)

/* imap_plays.c */
void play_store(struct game *g, struct player *p);
void play_fetch(struct game *g, struct player *p);
void play_fetch_changed(struct game *g, struct player *p);
void play_search(struct game *g, struct player *p);
void play_expunge(struct game *g, struct player *p);
struct box *draw_box(struct game *g);
void play_held(struct game *g, struct player *p);
void play_copy(struct game *g, struct player *p);
void play_append(struct game *g, struct player *p);
void play_status(struct game *g, struct player *p);
