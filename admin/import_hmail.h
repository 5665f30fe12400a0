/* admin/import_hmail.h - the mail of accounts of hMailServer, for import_mail.c */
#pragma once

#include "admin/import.h"

MUST_USE struct import_hmail *import_hmail_new(void);
void import_hmail_free(struct import_hmail **h);

/* Its folders, below the data directory im->mail. 1, 0: it has none, -1. */
MUST_USE int import_hmail_source(struct import *im, const struct movein_object *account,
				 struct mail_source **out, struct err *err);
