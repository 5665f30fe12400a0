/* authd/exchange.h - one login on its way; shared by exchange.c and check.c */
#pragma once

#include "authd/authd.h"
#include "common/sasl/sasl.h"

#define EXCHANGE_MS 60000 /* a client that says nothing for so long is given up */

enum exchange_state {
	EXCHANGE_ASKED,    /* the client's turn */
	EXCHANGE_LOOKING,  /* the directory is asked for the account */
	EXCHANGE_CHECKING, /* a thread has the password */
	EXCHANGE_DELAYED,  /* what is to be said waits for due_ms */
};

struct check;

struct exchange {
	LIST_ENTRY(exchange) all, bucket;
	struct authd *authd;
	struct ipc_peer *peer;
	uint64_t tag;
	enum auth_service service;
	struct net_address client;
	struct sasl sasl;
	struct buf challenge;
	enum exchange_state state;
	uint64_t due_ms;
	struct errand look;             /* EXCHANGE_LOOKING, and what it found: */
	struct directory_account found; /* empty when there is none, or disabled */
	struct err fault;
	bool known, failed;
	bool closed;               /* the account was, meanwhile */
	struct check *check;       /* EXCHANGE_CHECKING */
	enum auth_outcome outcome; /* EXCHANGE_DELAYED without a challenge */
	const char *reason;        /* of a failure, for the log */
	uint64_t account;          /* 0 until a name was found */
	char address[DIRECTORY_ADDRESS_MAX + 1];
};

/* login.c: asks for the account that the login names: x->found, with x->known false
 * empty, so that what follows takes as long as for a real one. */
void login_look_up(struct exchange *x);
void login_forget(struct exchange *x);
/* Then this is called. */
void exchange_found(struct exchange *x);

/* The end of the exchange, whose struct is gone afterwards or later. */
void exchange_succeed(struct exchange *x, bool known_here);
void exchange_fail(struct exchange *x, const char *reason);
void exchange_finish(struct exchange *x, enum auth_outcome outcome);
void exchange_free(struct exchange *x);

/* check.c: the password of a SASL_VERIFY. */
void check_start(struct exchange *x);
/* The exchange goes away before its check is done. */
void check_forget(struct exchange *x);
