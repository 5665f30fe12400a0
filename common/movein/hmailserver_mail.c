#include "common/movein/hmailserver.h"
#include "common/movein/stamp.h"

#define DELIVERED 2 /* hm_messages.messagetype; 1 is on its way */

bool
movein_hmail_folder(const struct movein_row *row, struct movein_hmail_folder *out)
{
	uint64_t validity = movein_cell_number(row, "folderuidvalidity");
	uint64_t uid = movein_cell_number(row, "foldercurrentuid"), created;
	bool has_zone;

	if (!span_equal_nocase(row->table, SPAN("hm_imapfolders")) ||
	    movein_cell(row, "foldername").n == 0)
		return false;
	/* Before there was a column for it, it was the second the folder was made. */
	if (validity == 0 &&
	    movein_stamp(movein_cell(row, "foldercreationtime"), &created, &has_zone))
		validity = created;
	*out = (struct movein_hmail_folder){
	    .account = movein_cell_number(row, "folderaccountid"),
	    .number = movein_cell_number(row, "folderid"),
	    .parent = UINT64_MAX, /* -1 in the table, which is no number to us */
	    .name = movein_cell(row, "foldername"),
	    .uidvalidity = validity <= UINT32_MAX ? (uint32_t)validity : 0,
	    .uidnext = uid < UINT32_MAX ? (uint32_t)uid + 1 : UINT32_MAX,
	    .subscribed = movein_cell_flag(row, "folderissubscribed"),
	};
	if (movein_cell_number(row, "folderparentid") > 0)
		out->parent = movein_cell_number(row, "folderparentid");
	return true;
}

bool
movein_hmail_message(const struct movein_row *row, struct movein_hmail_message *out)
{
	uint64_t uid = movein_cell_number(row, "messageuid"), received = 0;
	bool has_zone;

	if (!span_equal_nocase(row->table, SPAN("hm_messages")) ||
	    movein_cell_number(row, "messagetype") != DELIVERED)
		return false;
	if (!movein_stamp(movein_cell(row, "messagecreatetime"), &received, &has_zone))
		received = 0;
	*out = (struct movein_hmail_message){
	    .account = movein_cell_number(row, "messageaccountid"),
	    .folder = movein_cell_number(row, "messagefolderid"),
	    .file = movein_cell(row, "messagefilename"),
	    .uid = uid <= UINT32_MAX ? (uint32_t)uid : 0,
	    .flags = (unsigned)movein_cell_number(row, "messageflags"),
	    .received_s = received,
	    .bytes = movein_cell_number(row, "messagesize"),
	};
	return out->account > 0;
}

/* Can it be one step of a path, and no step up? */
static bool
is_step(struct span name)
{
	if (name.n == 0 || name.n > 255 || span_equal(name, SPAN(".")) ||
	    span_equal(name, SPAN("..")))
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (name.at[i] == '/' || name.at[i] == '\0')
			return false;
	return true;
}

bool
movein_hmail_path(struct span address, struct span file, struct buf *out)
{
	size_t at = span_find_last(address, '@');
	struct span user = span_first(address, at),
		    domain = span_after(address, at + 1);

	/* Old versions kept the whole path of that machine: its end is enough. */
	for (size_t i = file.n; i > 0; i--) {
		if (file.at[i - 1] == '\\' || file.at[i - 1] == '/') {
			file = span_after(file, i);
			break;
		}
	}
	buf_reset(out);
	if (file.n < 4 || !is_step(user) || !is_step(domain) || !is_step(file) ||
	    !is_step(span_first(span_after(file, 1), 2)))
		return false;
	buf_put(out, domain);
	buf_put_char(out, '/');
	buf_put(out, user);
	buf_put_char(out, '/');
	buf_put(out, span_first(span_after(file, 1), 2));
	buf_put_char(out, '/');
	buf_put(out, file);
	return !out->full;
}
