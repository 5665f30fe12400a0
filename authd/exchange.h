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

/* Somebody who is no program, and is told of the end by a call. */
struct exchange_visitor {
	uint64_t number; /* another for each */
	uid_t uid;       /* failures count by it */
	void (*told)(void *context, enum auth_outcome outcome, uint64_t account,
		     const char *address);
	void *context;
};

struct exchange {
	LIST_ENTRY(exchange) all, bucket;
	struct authd *authd;
	struct ipc_peer *peer; /* null: a visitor */
	struct exchange_visitor visitor;
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
	bool by_app;                         /* the password is that of `label` */
	char label[DIRECTORY_LABEL_MAX + 1]; /* "": the account's own password */
	bool closed;                         /* the account was, meanwhile */
	struct check *check;                 /* EXCHANGE_CHECKING */
	enum auth_outcome outcome;           /* EXCHANGE_DELAYED without a challenge */
	const char *reason;                  /* of a failure, for the log */
	uint64_t account;                    /* 0 until a name was found */
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

/* A login with a password, at once or later told to the visitor. */
void exchange_visit(struct authd *a, const struct exchange_visitor *visitor,
		    struct span address, struct span password);
/* The visitor has left. */
void exchange_forget(struct authd *a, uint64_t number);

/* check.c: the password of a SASL_VERIFY. */
void check_start(struct exchange *x);
/* The exchange goes away before its check is done. */
void check_forget(struct exchange *x);
