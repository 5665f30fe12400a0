/* tests/unit/bounce_house.h - the real bounce, with the test as qmgr, authd and spoold
 */
#pragma once

#include "tests/unit/hosted.h"

#include "common/dsn/dsn.h"
#include "common/spool/spool.h"

#define SEGMENT     7u
#define REPORTS_MAX 256u /* of delivery/bounce/bounce.h */
#define HEADER      "Subject: hello\r\nMessage-ID: <1@example.com>\r\n\r\n"
#define MAIL        HEADER "text of the mail\r\n"

struct letter {
	struct buf bytes;
	uint64_t id;
	uint32_t envelope_bytes;
};

struct house {
	struct hosted h;
	struct ipc_peer *qmgr, *authd, *spoold;
	bool qmgr_dropped, authd_silent;
	/* what authd and spoold answer */
	enum resolve_outcome sender, postmaster;
	enum spool_outcome outcomes[4]; /* of the first letter, the second ... */
	bool same_account;              /* postmaster is the sender */
	/* what was seen */
	struct letter letters[4];
	size_t n_letters, n_stored, n_aborted, n_reported, wanted, n_resolves;
	struct ipc_reported reported;
	char text[256];
	/* answers of accounts, and notices */
	enum reply_outcome reply;
	const char *reply_subject, *reply_text;
	size_t n_reply_asks, n_noticed;
	struct ipc_noticed noticed;
};

/* Starts bounce with these settings; `mail` is the segment. */
void bounce_house_open(struct house *house, const char *settings, struct span mail);
void bounce_house_close(struct house *house);
MUST_USE struct ipc_peer *bounce_peer_new(struct house *house, enum ipc_kind kind,
					  const struct ipc_callbacks *callbacks);
void bounce_segment_send(struct house *house, struct span bytes);
void bounce_report_send(struct house *house, enum dsn_kind kind, struct span sender,
			uint32_t segment, uint64_t content_bytes);
/* One more answer to qmgr. */
void bounce_reported_wait(struct house *house);
/* A letter as spoold got it. */
struct envelope
bounce_letter(const struct letter *l, struct envelope_recipient *recipient,
	      struct span *content);

/* Conditions to wait for; the context is the house. */
bool bounce_all_reported(void *context);
bool bounce_was_dropped(void *context);

/* The test as each of them. */
extern const struct ipc_callbacks bounce_qmgr, bounce_authd, bounce_spoold;

MUST_USE static inline bool
has(struct span s, const char *text)
{
	return span_find_span(s, span_str(text)) < s.n;
}
