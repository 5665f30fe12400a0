/* authd/cleaning.h - notes that have ended go out of the directory
 *
 * A page of them every CLEAN_PAGE_S, from the beginning every CLEAN_AGAIN_S.
 */
#pragma once

#include "authd/errand.h"

#define CLEAN_PAGE_S  10
#define CLEAN_AGAIN_S 3600

struct cleaning;

/* Begins by itself. */
MUST_USE struct cleaning *cleaning_new(struct authd *a);
void cleaning_free(struct cleaning **c);
/* The next page, now. */
void cleaning_go_on(struct cleaning *c);
