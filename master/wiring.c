#include "master/master.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Sealed, so that no program can change what the next one reads. */
static int
text_open(const struct settings *settings, enum conf_secrets secrets, struct err *err)
{
	struct buf text = buf_make(CONF_TEXT_BYTES_MAX);
	int fd = memfd_create("settings", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ssize_t n;

	conf_text_put(settings, secrets, &text);
	n = fd < 0 ? -1 : write(fd, text.at, text.n);
	if (n != (ssize_t)text.n || text.full || file_seal(fd) != 0) {
		err_sys(err, "cannot keep the settings in memory");
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	buf_release(&text);
	return fd;
}

void
texts_close(struct texts *texts)
{
	for (size_t i = 0; i < N_ELEMS(texts->fds); i++)
		if (texts->fds[i] >= 0)
			close(texts->fds[i]);
	*texts = (struct texts){
	    {-1, -1}
        };
}

int
texts_open(struct texts *out, const struct settings *settings, struct err *err)
{
	struct texts fresh = {
	    {-1, -1}
        };

	for (size_t i = 0; i < N_ELEMS(fresh.fds); i++) {
		fresh.fds[i] = text_open(settings, (enum conf_secrets)i, err);
		if (fresh.fds[i] < 0) {
			texts_close(&fresh);
			return -1;
		}
	}
	*out = fresh;
	return 0;
}

int
texts_for(const struct process *p)
{
	bool remote = p->service->kind == IPC_KIND_REMOTE;

	return p->master->texts.fds[remote ? CONF_SECRETS_SHOWN : CONF_SECRETS_HIDDEN];
}

static uint32_t
instances_of(const struct master *m, enum ipc_kind kind)
{
	uint32_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		n += m->processes[i].service->kind == kind;
	return n;
}

static void
send_counts(struct process *p)
{
	size_t n;
	const struct service *table = services(&n);

	for (size_t i = 0; i < n; i++) {
		struct ipc_ctl_count m = {table[i].kind,
					  instances_of(p->master, table[i].kind)};

		ipc_send_ctl_count(p->peer, &m);
	}
}

void
wiring_send_log(struct process *p, int log)
{
	struct ipc_ctl_log m = {(uint8_t)p->master->logs.form};

	ipc_send_ctl_log(p->peer, &m, log);
}

static void
send_file(struct process *p, struct span name, int fd)
{
	struct ipc_ctl_file m = {name};

	if (fd >= 0)
		ipc_send_ctl_file(p->peer, &m, fd);
}

void
wiring_send_files(struct process *p)
{
	if (!p->service->tls_files)
		return;
	send_file(p, SPAN("tls.cert"), p->master->files.certificate);
	send_file(p, SPAN("tls.key"), p->master->files.key);
}

/* Null as name means all. */
void
wiring_send_listeners(struct process *p, const char *name)
{
	const struct listeners *l = &p->master->listeners;

	for (size_t i = 0; i < l->n; i++) {
		struct ipc_ctl_listener m = {span_str(l->at[i].name)};

		if (l->at[i].kind == p->service->kind &&
		    (!name || strcmp(name, l->at[i].name) == 0))
			ipc_send_ctl_listener(p->peer, &m, l->at[i].fd);
	}
}

void
wiring_tell_start(struct process *p)
{
	struct ipc_ctl_start m = {(uint32_t)instances_of(p->master, p->service->kind),
				  span_str(p->master->config_path)};

	send_counts(p);
	ipc_send_ctl_start(p->peer, &m, texts_for(p));
	wiring_send_files(p);
	if (p->service->sts_file)
		send_file(p, SPAN("sts.policies"), p->master->policies_fd);
	wiring_send_listeners(p, NULL);
}

static void
send_end(struct process *to, const struct process *about, int fd)
{
	struct ipc_ctl_peer m = {about->service->kind, about->instance, about->starts};

	if (to->peer)
		ipc_send_ctl_peer(to->peer, &m, fd);
	close(fd);
}

static void
join(struct process *a, struct process *b)
{
	struct err err;
	int pair[2];

	if (ipc_pair(pair, &err) != 0) {
		logline(LOGLINE_ERROR, "process.join", L_ERR(&err));
		return;
	}
	send_end(a, b, pair[0]);
	send_end(b, a, pair[1]);
}

/* A channel to every live process it has to do with; those get their end, too,
 * in place of the one to its predecessor. */
void
wiring_connect(struct process *p)
{
	struct master *m = p->master;

	for (size_t i = 0; i < m->n; i++) {
		struct process *other = &m->processes[i];

		if (other != p && process_alive(other) &&
		    (p->service->peers & 1u << other->service->kind) != 0)
			join(p, other);
	}
}
