/* common/movein/postfix.h - Postfix's settings and its maps as text
 *
 * main.cf names the maps: virtual_mailbox_maps and virtual_alias_maps with their
 * domains, and virtual_mailbox_base where mailboxes lie. Maps are what postmap reads:
 * a key, space, a value; lines that begin with space go on the line before.
 */
#pragma once

#include "common/movein/list.h"

#define MOVEIN_SETTING_MAX 8192

/* The value of a setting of main.cf with $names of others in it put in; empty when it
 * is not set. The last one counts, as for Postfix. `out` is emptied first. */
void movein_postfix_setting(struct span main_cf, const char *name, struct buf *out);

/* Words of a list, with commas or spaces between them, off the front; false at its
 * end. */
MUST_USE bool movein_postfix_word(struct span *list, struct span *word);

/* virtual_mailbox_domains as words: names of domains; others ("hash:...") are not
 * taken. */
void movein_postfix_domains(struct movein *m, struct span list);
/* A map whose keys are domains, whatever they lead to. */
void movein_postfix_domain_map(struct movein *m, struct span text);
/* user@domain and a path below `base`, which ends in "/" when it is a Maildir. */
void movein_postfix_mailboxes(struct movein *m, struct span text, struct span base);
/* address and targets; "@domain" is a catch-all; a key that is a domain makes it
 * one of ours; keys without a domain belong to m->domain. */
void movein_postfix_aliases(struct movein *m, struct span text);
