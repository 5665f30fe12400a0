/* common/advice/advice.h - the door of the room that explains refusals
 *
 * What    a table of the replies that large providers, filters and this server give,
 *         and what a person can do about each. Shown by `postroad queue`, and in
 *         reports.
 * RFC     [RFC3463] enhanced status codes, [RFC5321 4.2] replies. What providers
 *         publish about theirs is not stable: a row matches by the parts of a text
 *         that stay.
 * Trust   pure. Host and text are a peer's; nothing here asserts on them. What is
 *         given back is ours.
 * Memory  all is constant.
 */
#pragma once

#include "common/base/base.h"

/* Who can do something about it. */
enum advice_actor {
	ADVICE_NOBODY, /* waiting helps, and is being done */
	ADVICE_SENDER,
	ADVICE_RECIPIENT,
	ADVICE_OPERATOR, /* of this server */
	ADVICE_OTHER,    /* whoever runs the other server, or its DNS */
};

/* Sentences, with a full stop. */
struct advice {
	const char *id;  /* "google.spf-dkim": stays the same */
	const char *who; /* "Gmail"; empty where anybody says so */
	const char *meaning;
	const char *what_to_do;
	enum advice_actor actor;
};

/* About one reply: `host` as in a relay result ("mx.example.org[192.0.2.1]"), code 0
 * and enhanced 0.0.0 where there was none, the text with or without its codes. The
 * most specific row; null when nothing fits. */
MUST_USE const struct advice *advice_find(struct span host, unsigned code,
					  const uint16_t enhanced[3], struct span text);

/* "the sender", for listings; empty for ADVICE_NOBODY. */
MUST_USE const char *advice_actor_name(enum advice_actor actor);

/* The whole table, for documents and checks. */
MUST_USE const struct advice *advice_at(size_t i); /* null behind the last */
