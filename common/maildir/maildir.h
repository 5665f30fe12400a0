/* common/maildir/maildir.h - the door: mail as other systems keep it in files
 *
 * What    reads Maildir and Maildir++ (Dovecot's and Courier's, also Dovecot's
 *         LAYOUT=fs), mbox, and folders of .eml files; writes what they are made of.
 *         Split by noun: source.h a whole tree of mailboxes, given.h one that
 *         somebody else lists, name.h file and folder
 *         names, uidlist.h dovecot-uidlist and courierimapuiddb, keywords.h
 *         dovecot-keywords, mbox.h a mailbox in one file, lines.h line ends. Those
 *         last five are pure: bytes in, values out.
 * RFC     [RFC3501 5.1.3] names in modified UTF-7, [RFC4155] mbox, [RFC1939 7] POP3
 *         unique-ids. The Maildir formats are described by Dovecot's documentation.
 * Trust   every byte of a file and every name is doubted; a symbolic link is not
 *         followed out of a tree, and nothing is written to a source.
 * Memory  a source owns all that it gives out, a mailbox at a time.
 */
#pragma once

#include "common/base/base.h"

#include "common/maildir/given.h"
#include "common/maildir/keywords.h"
#include "common/maildir/lines.h"
#include "common/maildir/mbox.h"
#include "common/maildir/name.h"
#include "common/maildir/source.h"
#include "common/maildir/uidlist.h"
