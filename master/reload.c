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
};

static void
complain(struct buf *reasons, const char *text)
{
	logline(LOGLINE_ERROR, "reload.refused", L_STR("error", text));
	if (buf_room(reasons, strlen(text) + 1)) {
		buf_put_str(reasons, text);
		buf_put_char(reasons, '\n');
	}
}

static void
on_fixed(const char *name, void *context)
{
	(void)context;
	logline(LOGLINE_WARNING, "reload.needs_restart", L_STR("setting", name));
}

static int
read_settings(struct master *m, struct settings *out, struct buf *reasons)
{
	struct buf text = buf_make(CONF_FILE_BYTES_MAX);
	struct conf_errors errors;
	int result =
	    conf_load(m->config_path, m->settings.hostname, &text, out, &errors);

	for (size_t i = 0; i < errors.n; i++)
		complain(reasons, errors.at[i].text);
	conf_errors_release(&errors);
	buf_release(&text);
	if (result == 0)
		conf_keep_fixed(out, &m->settings, on_fixed, NULL);
	return result;
}

static int
prepare(struct master *m, struct fresh *f, struct err *err)
{
	if (texts_open(&f->texts, &f->settings, err) != 0)
		return -1;
	if (files_open(&f->files, &f->settings, err) != 0) {
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

static int
reload_all(struct master *m, struct buf *reasons)
{
	struct fresh f = {.texts = {{-1, -1}}};
	struct err err;

	if (m->stopping) {
		complain(reasons, "the server is stopping");
		return -1;
	}
	if (read_settings(m, &f.settings, reasons) != 0)
		return -1;
	if (prepare(m, &f, &err) != 0) {
		complain(reasons, err.text);
		conf_release(&f.settings);
		return -1;
	}
	apply(m, &f);
	logline(LOGLINE_INFO, "master.reloaded", L_STR("file", m->config_path));
	return 0;
}

int
reload(struct master *m, struct buf *reasons)
{
	int result;

	notify_reloading();
	result = reload_all(m, reasons);
	(void)sd_notify(0, "READY=1");
	return result;
}
