/* all commands, each a row; where a row's states do not allow it, BAD */
#include "imapd/session/inner.h"

/* clang-format off */
const struct command commands[] = {
	{IMAP_CAPABILITY, "CAPABILITY", S_ANY, run_capability, NULL, ANNOUNCE_ALL},
	{IMAP_NOOP, "NOOP", S_ANY, run_noop, NULL, ANNOUNCE_ALL},
	{IMAP_LOGOUT, "LOGOUT", S_ANY, run_logout, NULL, ANNOUNCE_NONE},
	{IMAP_ID, "ID", S_ANY, run_id, NULL, ANNOUNCE_ALL},
	{IMAP_ENABLE, "ENABLE", S_ANY, run_enable, NULL, ANNOUNCE_ALL},
	{IMAP_SELECT, "SELECT", S_ANY, run_select, release_select, ANNOUNCE_NONE},
	{IMAP_EXAMINE, "EXAMINE", S_ANY, run_select, release_select, ANNOUNCE_NONE},
	{IMAP_CREATE, "CREATE", S_ANY, run_create, NULL, ANNOUNCE_ALL},
	{IMAP_DELETE, "DELETE", S_ANY, run_delete, NULL, ANNOUNCE_ALL},
	{IMAP_RENAME, "RENAME", S_ANY, run_rename, NULL, ANNOUNCE_ALL},
	{IMAP_SUBSCRIBE, "SUBSCRIBE", S_ANY, run_subscribe, NULL, ANNOUNCE_ALL},
	{IMAP_UNSUBSCRIBE, "UNSUBSCRIBE", S_ANY, run_subscribe, NULL, ANNOUNCE_ALL},
	{IMAP_LIST, "LIST", S_ANY, run_list, NULL, ANNOUNCE_ALL},
	{IMAP_LSUB, "LSUB", S_ANY, run_list, NULL, ANNOUNCE_ALL},
	{IMAP_NAMESPACE, "NAMESPACE", S_ANY, run_namespace, NULL, ANNOUNCE_ALL},
	{IMAP_STATUS, "STATUS", S_ANY, run_status, NULL, ANNOUNCE_ALL},
	{IMAP_IDLE, "IDLE", S_ANY, run_idle, NULL, ANNOUNCE_ALL},
	{IMAP_GETQUOTA, "GETQUOTA", S_ANY, run_getquota, NULL, ANNOUNCE_ALL},
	{IMAP_GETQUOTAROOT, "GETQUOTAROOT", S_ANY, run_getquota, NULL, ANNOUNCE_ALL},
	{IMAP_SETQUOTA, "SETQUOTA", S_ANY, run_setquota, NULL, ANNOUNCE_ALL},
	{IMAP_COMPRESS, "COMPRESS", S_ANY, run_compress, NULL, ANNOUNCE_NONE},
	{IMAP_APPEND, "APPEND", S_ANY, run_append, release_append, ANNOUNCE_ALL},
	{IMAP_CHECK, "CHECK", S_SELECTED, run_noop, NULL, ANNOUNCE_ALL},
	{IMAP_CLOSE, "CLOSE", S_SELECTED, run_close, NULL, ANNOUNCE_NONE},
	{IMAP_UNSELECT, "UNSELECT", S_SELECTED, run_unselect, NULL, ANNOUNCE_NONE},
	{IMAP_EXPUNGE, "EXPUNGE", S_SELECTED, run_expunge, release_expunge, ANNOUNCE_ALL},
	{IMAP_SEARCH, "SEARCH", S_SELECTED, run_search, release_search, ANNOUNCE_KEEP},
	{IMAP_SORT, "SORT", S_SELECTED, run_search, release_search, ANNOUNCE_KEEP},
	{IMAP_THREAD, "THREAD", S_SELECTED, run_search, release_search, ANNOUNCE_KEEP},
	{IMAP_FETCH, "FETCH", S_SELECTED, run_fetch, release_fetch, ANNOUNCE_KEEP},
	{IMAP_STORE, "STORE", S_SELECTED, run_store, release_store, ANNOUNCE_KEEP},
	{IMAP_COPY, "COPY", S_SELECTED, run_copy, release_copy, ANNOUNCE_ALL},
	{IMAP_MOVE, "MOVE", S_SELECTED, run_copy, release_copy, ANNOUNCE_ALL},
	{IMAP_REPLACE, "REPLACE", S_SELECTED, run_append, release_append, ANNOUNCE_ALL},
};
/* clang-format on */

const size_t n_commands = N_ELEMS(commands);
