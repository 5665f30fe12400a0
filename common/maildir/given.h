/* common/maildir/given.h - a source whose messages somebody else lists
 *
 * For systems that keep in a database which files are whose messages: who knows that
 * gives mailboxes and messages, the files are read as those of any source.
 */
#pragma once

#include "common/maildir/source.h"

struct mail_given; /* a mailbox that is being loaded */

/* Gives the messages of a mailbox by mail_given_message(). -1: *err. */
typedef int mail_given_load(void *context, const struct mail_box *box,
			    struct mail_given *to, struct err *err);

/* Paths of messages begin in `folder`. Null when it cannot be opened. */
MUST_USE struct mail_source *mail_given_new(const char *folder, mail_given_load *load,
					    void *context, struct err *err);
/* Name, path (which may be anything that tells it from the others), subscribed,
 * uidvalidity and uidnext are copied. False beyond the limits. */
MUST_USE bool mail_given_box(struct mail_source *source, const struct mail_box *box);
/* Once all are there. */
void mail_given_done(struct mail_source *source);
/* Everything it points to is copied. */
void mail_given_message(struct mail_given *to, const struct mail_message *message);
