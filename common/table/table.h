/* common/table/table.h - the door of the room of lookup tables, as Postfix has them
 *
 * What    what stands in the files of operators who come from Postfix: texts of
 *         "key value" lines, patterns (POSIX and Perl), networks, and SQL queries
 *         with %s in them; the order in which parts of a key are looked up; the
 *         results of access, alias and route tables taken apart.
 * Trust   files are the operator's, keys are a peer's; nothing asserts on either.
 *         A pattern's time is bounded: see regexp.c and pcre.c.
 * Memory  a map owns all it needs; table_map_free() gives it back.
 *
 * Pure: files are read and databases asked by common/lookup.
 */
#pragma once

#include "common/base/base.h"
#include "common/table/action.h"
#include "common/table/config.h"
#include "common/table/hop.h"
#include "common/table/key.h"
#include "common/table/keys.h"
#include "common/table/map.h"
#include "common/table/problem.h"
#include "common/table/query.h"
#include "common/table/words.h"
