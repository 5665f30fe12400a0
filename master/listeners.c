#include "master/master.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 4096

/* One way of getting a socket: an address, or a path. */
struct place {
	const char *setting; /* named in errors */
	const char *name;
	enum ipc_kind kind;
	const char *text;
};

static int
take_over(struct listeners *old, const struct place *place)
{
	for (size_t i = 0; old && i < old->n; i++) {
		struct listener *l = &old->at[i];
		int fd = l->fd;

		if (fd < 0 || l->kind != place->kind ||
		    strcmp(l->name, place->name) != 0 ||
		    strcmp(l->text, place->text) != 0)
			continue;
		l->fd = -1;
		return fd;
	}
	return -1;
}

static int
add(struct listeners *out, const struct place *place, int fd, struct err *err)
{
	if (out->n == LISTENERS_MAX) {
		close(fd);
		return err_set(err, "%s: more than %d sockets to listen on",
			       place->setting, LISTENERS_MAX);
	}
	out->at[out->n++] = (struct listener){
	    place->name, span_dup(span_str(place->text)), place->kind, fd};
	return 0;
}

static int
address_fail(const struct place *place, int fd, struct err *err)
{
	err_sys(err, "%s: cannot listen on %s", place->setting, place->text);
	if (fd >= 0)
		close(fd);
	return -1;
}

static int
bind_address(struct listeners *out, const struct place *place,
	     const struct sockaddr *address, socklen_t size, struct err *err)
{
	int fd =
	    socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;

	if (fd < 0)
		return address_fail(place, fd, err);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (address->sa_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, address, size) != 0 || listen(fd, BACKLOG) != 0)
		return address_fail(place, fd, err);
	return add(out, place, fd, err);
}

static int
open_v4(struct listeners *out, const struct place *place,
	const struct conf_listen *where, struct err *err)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(where->port)};

	memcpy(&address.sin_addr, where->address + 12, 4);
	return bind_address(out, place, (struct sockaddr *)&address, sizeof(address),
			    err);
}

static int
open_v6(struct listeners *out, const struct place *place,
	const struct conf_listen *where, struct err *err)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6,
				       .sin6_port = htons(where->port)};

	memcpy(&address.sin6_addr, where->address, 16);
	return bind_address(out, place, (struct sockaddr *)&address, sizeof(address),
			    err);
}

/* Both families; a machine without IPv6 has only the one. */
static int
open_any(struct listeners *out, const struct place *place,
	 const struct conf_listen *where, struct err *err)
{
	if (open_v6(out, place, where, err) != 0 && err->code != EAFNOSUPPORT &&
	    err->code != EADDRNOTAVAIL)
		return -1;
	return open_v4(out, place, where, err);
}

static int
open_address(struct listeners *out, const struct place *place, struct listeners *old,
	     struct err *err)
{
	struct conf_listen where;
	int fd = take_over(old, place);

	if (fd >= 0) {
		int second = take_over(old, place);

		if (add(out, place, fd, err) != 0)
			return -1;
		return second >= 0 ? add(out, place, second, err) : 0;
	}
	if (!conf_listen_parse(span_str(place->text), &where))
		return err_set(err, "%s: %s is not an address", place->setting,
			       place->text);
	if (where.any)
		return open_any(out, place, &where, err);
	return where.v4 ? open_v4(out, place, &where, err)
			: open_v6(out, place, &where, err);
}

/* What is left over of an earlier start, and nothing else: the path may be a setting.
 */
static void
remove_leftover(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		(void)unlink(path);
}

/* Its mode is right from the beginning; to change it later would follow a link that
 * somebody has put in its place. */
static int
bind_path(int fd, const struct sockaddr_un *address, mode_t mode)
{
	mode_t usual = umask(~mode & 0777);
	int result = bind(fd, (const struct sockaddr *)address, sizeof(*address));

	(void)umask(usual);
	return result;
}

static int
open_path(struct listeners *out, const struct place *place, int type, mode_t mode,
	  struct listeners *old, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = take_over(old, place);

	if (fd >= 0)
		return add(out, place, fd, err);
	if (!span_copy(span_str(place->text), address.sun_path,
		       sizeof(address.sun_path)))
		return err_set(err, "%s: the path %s is too long for a socket",
			       place->setting, place->text);
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	remove_leftover(place->text);
	if (fd < 0 || bind_path(fd, &address, mode) != 0 || listen(fd, BACKLOG) != 0)
		return address_fail(place, fd, err);
	return add(out, place, fd, err);
}

static int
open_list(struct listeners *out, struct place place, const struct conf_list *list,
	  struct listeners *old, struct err *err)
{
	for (size_t i = 0; i < list->n; i++) {
		place.text = list->at[i];
		if (open_address(out, &place, old, err) != 0)
			return -1;
	}
	return 0;
}

static int
open_networks(struct listeners *out, const struct settings *s, struct listeners *old,
	      struct err *err)
{
	/* TLS from the first byte needs a certificate. */
	bool tls = *s->tls_certificate != '\0';
	const struct {
		struct place place;
		const struct conf_list *list;
		bool wanted;
	} all[] = {
	    {{"smtp_listen", "smtp", IPC_KIND_SMTPD, ""},               &s->smtp_listen,  true},
	    {{"submission_listen", "submission", IPC_KIND_SMTPD, ""},
	     &s->submission_listen,
	     true									     },
	    {{"submissions_listen", "submissions", IPC_KIND_SMTPD, ""},
	     &s->submissions_listen,
	     tls									      },
	    {{"pop3_listen", "pop3", IPC_KIND_GATE, ""},                &s->pop3_listen,  true},
	    {{"pop3s_listen", "pop3s", IPC_KIND_GATE, ""},              &s->pop3s_listen, tls },
	    {{"imap_listen", "imap", IPC_KIND_GATE, ""},                &s->imap_listen,  true},
	    {{"imaps_listen", "imaps", IPC_KIND_GATE, ""},              &s->imaps_listen, tls },
	};

	for (size_t i = 0; i < N_ELEMS(all); i++)
		if (all[i].wanted &&
		    open_list(out, all[i].place, all[i].list, old, err) != 0)
			return -1;
	return 0;
}

static int
open_paths(struct listeners *out, const struct settings *s, struct listeners *old,
	   struct err *err)
{
	const struct {
		struct place place;
		int type;
		mode_t mode;
	} all[] = {
	    {{"run_directory", "submit", IPC_KIND_SMTPD, "submit"},                 SOCK_STREAM, 0666},
	    {{"lmtp_socket", "lmtp", IPC_KIND_SMTPD, s->lmtp_socket},
	     SOCK_STREAM,									0666},
	    {{"run_directory", "control", IPC_KIND_MASTER, "control/master"},
	     SOCK_SEQPACKET,								     0600},
	    {{"run_directory", "control", IPC_KIND_QMGR, "control/qmgr"},
	     SOCK_SEQPACKET,								     0600},
	    {{"run_directory", "control", IPC_KIND_AUTHD, "control/authd"},
	     SOCK_SEQPACKET,								     0600},
	    {{"run_directory", "administrators", IPC_KIND_AUTHD, "administrators"},
	     SOCK_SEQPACKET,								     0666},
	};

	for (size_t i = 0; i < N_ELEMS(all); i++) {
		struct place place = all[i].place;
		char path[256];

		if (!*place.text)
			continue;
		snprintf(path, sizeof(path), "%s%s%s",
			 place.text[0] == '/' ? "" : s->run_directory,
			 place.text[0] == '/' ? "" : "/", place.text);
		place.text = path;
		if (open_path(out, &place, all[i].type, all[i].mode, old, err) != 0)
			return -1;
	}
	return 0;
}

int
listeners_open(struct listeners *out, const struct settings *settings,
	       struct listeners *old, struct err *err)
{
	*out = (struct listeners){.n = 0};
	if (open_networks(out, settings, old, err) == 0 &&
	    open_paths(out, settings, old, err) == 0)
		return 0;
	listeners_undo(out, old);
	return -1;
}

void
listeners_undo(struct listeners *fresh, struct listeners *old)
{
	for (size_t i = 0; i < fresh->n; i++)
		for (size_t j = 0; old && j < old->n && fresh->at[i].fd >= 0; j++)
			if (old->at[j].fd < 0 && fresh->at[i].kind == old->at[j].kind &&
			    strcmp(fresh->at[i].name, old->at[j].name) == 0 &&
			    strcmp(fresh->at[i].text, old->at[j].text) == 0) {
				old->at[j].fd = fresh->at[i].fd;
				fresh->at[i].fd = -1;
			}
	listeners_close(fresh);
}

void
listeners_close(struct listeners *l)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->at[i].fd >= 0)
			close(l->at[i].fd);
		free(l->at[i].text);
	}
	l->n = 0;
}

/* The n-th socket of this name; null beyond the last. */
static const struct listener *
nth_of_name(const struct listeners *l, const char *name, size_t n)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->at[i].name, name) == 0 && n-- == 0)
			return &l->at[i];
	return NULL;
}

bool
listeners_same(const struct listeners *a, const struct listeners *b, const char *name)
{
	for (size_t i = 0;; i++) {
		const struct listener *x = nth_of_name(a, name, i);
		const struct listener *y = nth_of_name(b, name, i);

		if (!x || !y)
			return !x && !y;
		if (strcmp(x->text, y->text) != 0)
			return false;
	}
}

static void
put_v4(const struct sockaddr_in *address, struct buf *out)
{
	char text[INET_ADDRSTRLEN] = "";

	(void)inet_ntop(AF_INET, &address->sin_addr, text, sizeof(text));
	buf_putf(out, "%s:%u", text, ntohs(address->sin_port));
}

static void
put_v6(const struct sockaddr_in6 *address, struct buf *out)
{
	char text[INET6_ADDRSTRLEN] = "";

	(void)inet_ntop(AF_INET6, &address->sin6_addr, text, sizeof(text));
	buf_putf(out, "[%s]:%u", text, ntohs(address->sin6_port));
}

void
listener_address(const struct listener *l, struct buf *out)
{
	struct sockaddr_storage address = {0};
	socklen_t size = sizeof(address);

	(void)getsockname(l->fd, (struct sockaddr *)&address, &size);
	if (address.ss_family == AF_INET)
		put_v4((struct sockaddr_in *)&address, out);
	else if (address.ss_family == AF_INET6)
		put_v6((struct sockaddr_in6 *)&address, out);
	else
		buf_put_str(out, l->text);
}
