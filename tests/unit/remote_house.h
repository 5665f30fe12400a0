/* tests/unit/remote_house.h - the real remote, with the test as qmgr, as resolved and
 * as the servers that it talks to
 */
#pragma once

#include "tests/unit/hosted.h"
#include "tests/unit/smtp_sink.h"

#include "common/dns/dns.h"
#include "common/spool/spool.h"
#include "tests/unit/tls_server.h"

#define SEGMENT 7u
#define MAIL    "Subject: hello\r\n\r\n.text of the mail\r\n"

/* What remote said of a recipient. */
struct told {
	uint8_t outcome;
	uint16_t code;
	uint16_t enhanced[3];
	char text[300], host[128];
};

struct house {
	struct hosted h;
	struct ipc_peer *qmgr, *resolved;
	struct sink sink, other; /* at 127.0.0.1 and 127.0.0.2, same port */
	struct told told[16];    /* by ordinal */
	size_t results, ended, wanted;
	uint8_t connection;
	char provider[64], text[300];
	size_t questions;
	unsigned char key_digest[32];
	uint64_t content_bytes; /* of the message that stands in the segment */
	const char *next_hop;   /* of the jobs to come; null: none */
};

/* Starts remote with these settings behind those of the test. */
void house_open(struct house *house, const char *settings);
void house_close(struct house *house);
void house_settings_put(const struct house *house, const char *more, const char *host,
			struct buf *out);
/* A segment with one message. */
void house_segment_send(struct house *house, struct span bytes);
/* A job for these local parts, one a letter, of the domain. */
void house_relay(struct house *house, const char *domain, const char *locals);
void house_relay_and_wait(struct house *house, const char *domain, const char *locals);
void house_wait_all(struct house *house);
/* What the recipients got, a letter each: D done, X deferred, F failed. */
void house_check(const struct house *house, const char *want);

/* The test as qmgr. */
extern const struct ipc_callbacks house_qmgr_callbacks;

/* Conditions to wait for; the context is the house. */
bool house_is_up(void *context);
bool house_all_closed(void *context);
bool house_has_come(void *context);

/* A server that takes some recipients, and refuses others for now or for good. */
const char *house_mixed_reply(struct sink *s, struct sink_client *c, struct span line);
