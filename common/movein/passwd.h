/* common/movein/passwd.h - files of users, a line each
 *
 * Dovecot's passwd-file: user:{SCHEME}hash:uid:gid:gecos:home:shell:extra, where all
 * behind the hash may be missing and extra are words like
 * userdb_quota_rule=*:storage=1G, userdb_mail=maildir:~/Maildir, nologin. /etc/passwd
 * has the same shape, its hashes stand in /etc/shadow.
 */
#pragma once

#include "common/movein/list.h"

/* Users without a domain get m->domain. With `system` only people are taken: numbers
 * from 1000 up to 65533. */
void movein_passwd_read(struct movein *m, struct span text, bool system);

/* Hashes of the accounts that are there by now, from user:hash:... */
void movein_shadow_read(struct movein *m, struct span text);

/* "*:storage=1G" or "*:bytes=1000": Dovecot's rule of a quota, its first part. */
void movein_quota_rule(struct movein *m, struct movein_object *o, struct span rule);
