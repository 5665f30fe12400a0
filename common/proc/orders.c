#include "common/proc/state.h"
#include "common/proc/hostile.h"
#include "common/proc/jail.h"
#include "common/proc/sink.h"

#include <unistd.h>

/* What master says on the control channel. It is believed, and still nothing
 * here asserts on a value of its messages. */

static int
settings_read(int fd, const char *name, struct settings *out, struct err *err)
{
	struct buf text = buf_make(CONF_TEXT_BYTES_MAX);
	struct conf_errors errors = {0};
	int result = proc_read_fd(fd, &text, err);

	if (result == 0 && conf_parse(buf_span(&text), name, "", out, &errors) != 0)
		result = err_set(err, "%s", errors.at[0].text);
	conf_errors_release(&errors);
	buf_release(&text);
	return result;
}

static void
settings_apply(const struct settings *settings)
{
	logline_set_level((enum logline_level)settings->log_level);
}

static int
start(struct proc *p, int fd, struct err *err)
{
	struct jail jail;

	if (settings_read(fd, "settings", &p->settings, err) != 0)
		return -1;
	settings_apply(&p->settings);
	if (p->program->prepare && p->program->prepare(p, err) != 0)
		return -1;
	if (jail_prepare(&jail, p->service, &p->settings, err) != 0 ||
	    jail_enter(&jail, err) != 0)
		return -1;
#if defined(POSTROAD_HOSTILE)
	hostile_try(&p->settings);
#endif
	return p->program->start ? p->program->start(p, err) : 0;
}

static void
take_start(struct proc *p, const struct ipc_message *m, int fd)
{
	struct ipc_ctl_ready answer = {1, SPAN("")};
	struct err err;

	(void)m;
	if (p->state != PROC_NEW) {
		close(fd);
		return;
	}
	if (start(p, fd, &err) == 0) {
		proc_enter(p, PROC_RUNNING);
	} else {
		logline(LOGLINE_ERROR, "start.failed", L_ERR(&err));
		answer = (struct ipc_ctl_ready){0, span_str(err.text)};
		proc_enter(p, PROC_FAILED);
	}
	ipc_send_ctl_ready(p->master, &answer);
}

static void
take_count(struct proc *p, const struct ipc_message *m, int fd)
{
	(void)fd;
	if (m->ctl_count.kind < IPC_KIND_COUNT && m->ctl_count.instances > 0 &&
	    m->ctl_count.instances <= SERVICE_INSTANCES_MAX)
		p->counts[m->ctl_count.kind] = m->ctl_count.instances;
}

static void
take_file(struct proc *p, const struct ipc_message *m, int fd)
{
	if (p->program->file)
		p->program->file(p, m->ctl_file.name, fd);
	else
		close(fd);
}

static void
take_listener(struct proc *p, const struct ipc_message *m, int fd)
{
	if (span_equal(m->ctl_listener.name, SPAN("control")))
		control_listen(p, fd);
	else if (p->program->listener)
		p->program->listener(p, m->ctl_listener.name, fd);
	else
		close(fd);
}

static void
take_unlisten(struct proc *p, const struct ipc_message *m, int fd)
{
	(void)fd;
	if (p->program->unlisten)
		p->program->unlisten(p, m->ctl_unlisten.name);
}

static void
take_peer(struct proc *p, const struct ipc_message *m, int fd)
{
	peers_replace(p, &m->ctl_peer, fd);
}

static void
take_log(struct proc *p, const struct ipc_message *m, int fd)
{
	(void)p;
	sink_flush();
	if (m->ctl_log.form < LOG_FORM_COUNT && dup2(fd, STDERR_FILENO) >= 0)
		sink_set_form((enum log_form)m->ctl_log.form);
	close(fd);
}

static void
take_reload(struct proc *p, const struct ipc_message *m, int fd)
{
	struct settings fresh, old = p->settings;
	struct err err;

	(void)m;
	if (settings_read(fd, "settings", &fresh, &err) != 0) {
		logline(LOGLINE_ERROR, "reload.failed", L_ERR(&err));
		return;
	}
	conf_keep_fixed(&fresh, &old, NULL, NULL);
	settings_apply(&fresh);
	p->settings = fresh;
	if (p->program->reload)
		p->program->reload(p);
	conf_release(&old);
}

static void
take_drain(struct proc *p, const struct ipc_message *m, int fd)
{
	(void)fd;
	if (p->state == PROC_NEW)
		proc_enter(p, PROC_DRAINED);
	if (p->state == PROC_RUNNING)
		proc_enter(p, PROC_DRAINING);
	if (p->state != PROC_DRAINING)
		return;
	if (p->program->drain)
		p->program->drain(p, m->ctl_drain.now != 0);
	if (!p->program->drain || m->ctl_drain.now != 0)
		proc_drained(p);
}

static void
take_ping(struct proc *p, const struct ipc_message *m, int fd)
{
	struct ipc_ctl_pong answer = {m->ctl_ping.number};

	(void)fd;
	ipc_send_ctl_pong(p->master, &answer);
}

static void
take_status_ask(struct proc *p, const struct ipc_message *m, int fd)
{
	(void)fd;
	proc_answer_status(p, p->master, m->status_ask.tag);
}

static const struct order {
	enum ipc_number number;
	bool started; /* ignored, and its descriptor closed, before the start */
	void (*take)(struct proc *p, const struct ipc_message *m, int fd);
} orders[] = {
    {IPC_NUMBER_ctl_start,    false, take_start     },
    {IPC_NUMBER_ctl_count,    false, take_count     },
    {IPC_NUMBER_ctl_log,      false, take_log       },
    {IPC_NUMBER_ctl_file,     true,  take_file      },
    {IPC_NUMBER_ctl_listener, true,  take_listener  },
    {IPC_NUMBER_ctl_unlisten, true,  take_unlisten  },
    {IPC_NUMBER_ctl_peer,     true,  take_peer      },
    {IPC_NUMBER_ctl_reload,   true,  take_reload    },
    {IPC_NUMBER_ctl_drain,    false, take_drain     },
    {IPC_NUMBER_ctl_ping,     false, take_ping      },
    {IPC_NUMBER_status_ask,   true,  take_status_ask},
};

void
orders_take(struct ipc_peer *peer, void *context, const struct ipc_message *m, int fd)
{
	struct proc *p = context;
	bool started = p->state == PROC_RUNNING || p->state == PROC_DRAINING;

	(void)peer;
	for (size_t i = 0; i < N_ELEMS(orders); i++)
		if (orders[i].number == m->number && (started || !orders[i].started)) {
			orders[i].take(p, m, fd);
			return;
		}
	if (fd >= 0)
		close(fd);
}
