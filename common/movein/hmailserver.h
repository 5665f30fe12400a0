/* common/movein/hmailserver.h - the tables of hMailServer
 *
 * hm_domains, hm_domain_aliases, hm_accounts, hm_aliases, hm_distributionlists and
 * their recipients; and of each account the folders (hm_imapfolders) and messages
 * (hm_messages), whose files are Data/DOMAIN/USER/XX/{GUID}.eml with XX the first two
 * digits behind the brace. Dates have no zone: they are the local time of the machine
 * that hMailServer ran on.
 * RFC     [RFC9051 5.1.3] names of folders are modified UTF-7 there.
 */
#pragma once

#include "common/movein/table.h"

struct movein_hmailserver {
	struct movein *m;
	/* Numbers of domains and lists, to names; grown as they come. */
	struct movein_number {
		uint64_t number;
		struct movein_object *object;
	} * domains, *lists;
	size_t n_domains, domains_size, n_lists, lists_size;
	unsigned outside; /* accounts whose password Active Directory had */
};

/* The tables to read, in the order to read them; ended by null. */
extern const char *const movein_hmailserver_tables[];

/* One row; rows come in the order of the tables. */
void movein_hmailserver_row(void *hmailserver, const struct movein_row *row);
/* A row of hm_imapfolders: those that several accounts share are noted. */
void movein_hmailserver_public(void *hmailserver, const struct movein_row *row);
void movein_hmailserver_release(struct movein_hmailserver *h);

/* Text of a password whose type is Blowfish, in hexadecimal: movein_set_password()
 * gets it as "{HMAIL-BLOWFISH}" and those digits. */
#define MOVEIN_HMAIL_BLOWFISH "{HMAIL-BLOWFISH}"

/* ---- mail */

struct movein_hmail_folder {
	uint64_t account, number, parent; /* parent: UINT64_MAX at the top */
	struct span name;                 /* modified UTF-7 */
	uint32_t uidvalidity, uidnext;
	bool subscribed;
};

struct movein_hmail_message {
	uint64_t account, folder;
	struct span file; /* "{GUID}.eml", or a whole path of the old machine */
	uint32_t uid;
	unsigned flags;      /* Seen 1 Deleted 2 Flagged 4 Answered 8 Draft 16 */
	uint64_t received_s; /* local time as if it were UTC; 0 unknown */
	uint64_t bytes;
};

/* False for rows that are none of them, and for messages on their way. */
MUST_USE bool
movein_hmail_folder(const struct movein_row *row, struct movein_hmail_folder *out);
MUST_USE bool
movein_hmail_message(const struct movein_row *row, struct movein_hmail_message *out);

/* Where the file lies below the data directory: "example.org/user/AB/{AB...}.eml".
 * False when its name or the address would lead elsewhere. */
MUST_USE bool movein_hmail_path(struct span address, struct span file, struct buf *out);
