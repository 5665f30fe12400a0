/* The operator's texts, read while files can be opened. */
#include "delivery/bounce/bounce.h"

#include <fcntl.h>

void
templates_load(struct bounce *b)
{
	const char *path = proc_settings(b->proc)->report_templates;
	struct buf text = buf_make(DSN_TEMPLATES_BYTES_MAX);
	int fd;

	dsn_templates_init(&b->templates);
	if (path[0] == '\0')
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		(void)err_sys(&b->templates_fault, "%.200s", path);
	else if (proc_read_fd(fd, &text, &b->templates_fault) == 0 &&
		 dsn_templates_parse(&b->templates, buf_span(&text), path,
				     &b->templates_fault) == 0)
		b->templates_fault.text[0] = '\0';
	buf_release(&text);
}
