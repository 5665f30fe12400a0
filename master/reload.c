#include "master/master.h"

#include <unistd.h>

#include <systemd/sd-daemon.h>

/* All that can fail is done first, with the old settings in force. */
struct fresh {
	struct settings settings;
	struct listeners listeners;
	struct files files;
	struct logs logs;
	struct texts texts;
	struct buf waiting; /* settings that have changed but need a restart */
};

static void
put_line(struct buf *out, const char *text)
{
	if (buf_room(out, strlen(text) + 1)) {
		buf_put_str(out, text);
		buf_put_char(out, '\n');
	}
}

static void
complain(struct buf *reasons, const char *text)
{
	logline(LOGLINE_ERROR, "reload.refused", L_STR("error", text));
	put_line(reasons, text);
}

static void
on_fixed(const char *name, void *context)
{
	put_line(context, name);
}

static int
read_settings(struct master *m, struct fresh *f, struct buf *reasons)
{
	struct buf text = buf_make(CONF_FILE_BYTES_MAX);
	struct conf_errors errors;
	int result = conf_load(m->config_path, m->settings.hostname, &text,
			       &f->settings, &errors);

	for (size_t i = 0; i < errors.n; i++)
		complain(reasons, errors.at[i].text);
	conf_errors_release(&errors);
	buf_release(&text);
	if (result == 0)
		conf_keep_fixed(&f->settings, &m->settings, on_fixed, &f->waiting);
	return result;
}

static int
prepare(struct master *m, struct fresh *f, struct err *err)
{
	if (texts_open(&f->texts, &f->settings, err) != 0)
		return -1;
	if (files_open(m, &f->files, &f->settings, err) != 0) {
		texts_close(&f->texts);
		return -1;
	}
	if (logs_open(m, &f->logs, &f->settings, err) == 0) {
		if (listeners_open(&f->listeners, &f->settings, &m->listeners, err) ==
		    0)
			return 0;
		f->logs.usual = -1;
		logs_close(&f->logs);
	}
	files_close(&f->files);
	texts_close(&f->texts);
	return -1;
}

static void
tell_listeners(struct process *p, const struct listeners *old)
{
	for (size_t i = 0; p->service->listeners[i]; i++) {
		const char *name = p->service->listeners[i];
		struct ipc_ctl_unlisten m = {span_str(name)};

		if (strcmp(name, "control") == 0 ||
		    listeners_same(old, &p->master->listeners, name))
			continue;
		ipc_send_ctl_unlisten(p->peer, &m);
		wiring_send_listeners(p, name);
	}
}

/* Without a socket to the new logger it stays with the one to the former. */
static void
tell_log(struct process *p)
{
	struct err err;
	int log = logger_socket(&p->master->logs, &p->log, &err);

	if (log < 0) {
		logline(LOGLINE_ERROR, "process.join", L_ERR(&err));
		return;
	}
	wiring_send_log(p, log);
	close(log);
}

static void
tell(struct process *p, const struct listeners *old)
{
	struct ipc_ctl_reload m = {span_str(p->master->config_path)};

	if (!p->peer)
		return;
	tell_log(p);
	ipc_send_ctl_reload(p->peer, &m, texts_for(p));
	wiring_send_files(p);
	tell_listeners(p, old);
}

static void
apply(struct master *m, struct fresh *f)
{
	struct listeners old = m->listeners;

	conf_release(&m->settings);
	texts_close(&m->texts);
	files_close(&m->files);
	m->settings = f->settings;
	m->texts = f->texts;
	m->files = f->files;
	m->listeners = f->listeners;
	logs_use(&f->logs);
	m->logs.usual = -1;
	logs_close(&m->logs);
	m->logs = f->logs;
	logline_set_level((enum logline_level)m->settings.log_level);
	for (size_t i = 0; i < m->n; i++)
		tell(&m->processes[i], &old);
	listeners_close(&old);
}

static void
tell_waiting(struct span names)
{
	while (names.n > 0)
		logline(LOGLINE_WARNING, "reload.needs_restart",
			L_SPAN("setting", span_cut(&names, '\n')));
}

static int
reload_all(struct master *m, struct fresh *f, struct buf *told)
{
	struct err err;

	if (m->stopping) {
		complain(told, "the server is stopping");
		return -1;
	}
	if (read_settings(m, f, told) != 0)
		return -1;
	if (prepare(m, f, &err) != 0) {
		complain(told, err.text);
		conf_release(&f->settings);
		return -1;
	}
	apply(m, f);
	logline(LOGLINE_INFO, "master.reloaded", L_STR("file", m->config_path));
	tell_waiting(buf_span(&f->waiting));
	buf_put(told, buf_span(&f->waiting));
	return 0;
}

int
reload(struct master *m, struct buf *told)
{
	struct fresh f = {.texts = {{-1, -1}}, .waiting = buf_make(IPC_PACKET_MAX / 2)};
	int result;

	/* To systemd a start ends when all run, whatever happens meanwhile. */
	if (m->ready)
		notify_reloading();
	result = reload_all(m, &f, told);
	buf_release(&f.waiting);
	if (m->ready)
		(void)sd_notify(0, "READY=1");
	return result;
}
