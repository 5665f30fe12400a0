/* tests/unit/imap_script.h - dialogues as text
 *
 *   0: a NOOP            session 0 sends a line; CRLF is added
 *   = a OK NOOP completed   the server's answer to the lines before; ~ is any number
 *   !deliver INBOX       by another process, and synced
 *   !append INBOX        through the account of the sessions, and synced
 *   !seen INBOX          as !append, with \Seen
 *   !push 0              what happened reaches an idling session
 *   !closed 0            the session is closed by now
 *
 * Lines of one session that follow each other are sent in one piece; a line that ends
 * in \ is sent without CRLF (and without the \).
 */
#pragma once

#include "tests/unit/imap_harness.h"

struct imap_script {
	const char *name, *text;
};

/* Each twice: as it is, and byte by byte. */
void imap_scripts_run(const struct imap_script *scripts, size_t n);
