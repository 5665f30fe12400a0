/* qmgr/queue/destination.h - where mail goes: one domain, all domains that one route
 * leads from, or one provider
 *
 * Known by a number, found by the key that the settings give a domain. The word of
 * a domain remembers its destination. Domains whose servers one provider runs
 * follow that provider: its pace holds for all of them together.
 */
#pragma once

#include "qmgr/queue/heap.h"
#include "qmgr/queue/words.h"

#define DESTINATION_KEY_SIZE    600 /* "hop:", a next hop and a domain */
#define DESTINATIONS_MAX        20000
#define DESTINATION_IDLE_S      1800 /* what is idle for so long is forgotten */
#define DESTINATION_FAILURES    3    /* in a row, then it is dead */
#define DESTINATION_DEAD_S      60   /* first back-off; doubles */
#define DESTINATION_DEAD_MAX_S  900
#define DESTINATION_JOBS_MIN    100 /* a slow one may have so many jobs in line */
#define DESTINATION_JOBS_S      10  /* and as many as it takes in so many seconds */
#define DESTINATION_SHARE       4   /* at most one so-manieth of active_max */
#define DESTINATION_SENDER_FREE 4   /* a sender's first few go in even then */
#define DESTINATION_PAUSE_S     60  /* how often a message looks whether it may go */
#define DESTINATION_BLOCKED     8   /* parked ones asked for room in one call */

/* How much may be under way at once, and how often something may start. */
struct pace {
	uint32_t n_sent;     /* transactions */
	uint32_t window_256; /* how many may be sent, times 256; grows and shrinks */
	uint32_t window_max;
	uint32_t per_minute_max; /* 0: no limit */
	uint32_t tokens;         /* 60 for each that may start now */
	uint32_t tokens_s;       /* when they were counted */
	uint32_t first, last;    /* destinations that wait for this pace */
	bool rated;              /* some of them for tokens */
};

enum destination_place {
	DESTINATION_NOWHERE, /* nothing in line */
	DESTINATION_READY,   /* in the list of its instance */
	DESTINATION_WAITING, /* in the list of its pace */
};

/* Waiting jobs of a destination, the one with the lowest tag first. */
struct line {
	uint32_t *jobs;
	uint32_t n, size;
	uint64_t tag; /* of the job that left last */
};

struct destination {
	char *key; /* allocated; null: free */
	uint32_t key_bytes;
	uint32_t hash;
	uint32_t generation;   /* other than in tags of former ones */
	uint32_t next;         /* in its bucket, or free */
	uint32_t older, newer; /* by last use */
	uint32_t used_s;
	uint32_t lead;        /* whose pace holds: its own, or the provider's */
	uint32_t n_followers; /* of a provider */
	bool alone;           /* follows nobody */

	struct pace pace;
	uint8_t place;           /* enum destination_place */
	uint32_t before, behind; /* there */
	struct line line;
	uint32_t n_jobs, n_sent;        /* all; of these, sent */
	uint32_t ended, ended_s, per_s; /* jobs that ended: now, when, lately */

	bool dead;
	uint32_t failures; /* in a row */
	uint32_t backoff_s, dead_until_s;
	uint32_t probe_due_s; /* the back-off at whose end a message will come */
	uint32_t reason;      /* word: why it is dead */

	struct heap parked; /* due messages for which there is no room */
	uint32_t parked_at; /* in destinations.parked; ENTRY_NONE: none */
};

/* Jobs of one sender, or of one message that has several, in one line. */
struct flow {
	uint64_t key;
	uint64_t tag; /* of its last job */
	uint32_t destination;
	uint32_t n_jobs; /* 0: free */
	uint32_t next;   /* in its bucket, or free */
};

struct flows {
	struct flow *at;
	uint32_t n, size;
	uint32_t free;
	uint32_t *buckets;
	uint32_t n_buckets; /* a power of two */
	uint32_t n_used;
};

struct destinations {
	struct destination *at;
	uint32_t n, size;
	uint32_t free;
	uint32_t *buckets;
	uint32_t n_buckets; /* a power of two */
	uint32_t n_used;
	uint32_t oldest, newest; /* by last use */
	uint32_t *rated;         /* those whose pace is rated */
	uint32_t n_rated, size_rated;
	uint32_t *parked; /* those with parked messages */
	uint32_t n_parked, size_parked;
	uint32_t hand; /* in `parked`: who is asked next */
	uint32_t n_dead;
	uint64_t n_parked_messages;
	uint32_t ticked_s;
	struct flows flows;
};
