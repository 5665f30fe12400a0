/* admin/server.c - postroad run, check, status, reload, stop, help of settings */
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "admin/control.h"
#include "admin/listing.h"
#include "common/dsn/dsn.h"
#include "common/proc/proc.h"
#include "common/tls/tls.h"

#define TLS_FILE_BYTES_MAX (1u << 20)

/* The folder of this program's own file, for finding master beside it. */
static bool
own_folder(char *out, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", out, size - 1);
	char *slash;

	if (n <= 0)
		return false;
	out[n] = '\0';
	slash = strrchr(out, '/');
	if (slash)
		*slash = '\0';
	return slash != NULL;
}

/* Where programs lie, seen from the folder of the command. */
static bool
find_program(const char *name, char *out, size_t size)
{
	static const char *const places[] = {"../libexec", "../libexec/postroad"};
	const char *given = getenv("POSTROAD_LIBEXEC");
	char folder[PATH_MAX];

	if (given) {
		snprintf(out, size, "%s/postroad-%s", given, name);
		return access(out, X_OK) == 0;
	}
	if (!own_folder(folder, sizeof(folder)))
		return false;
	for (size_t i = 0; i < N_ELEMS(places); i++) {
		snprintf(out, size, "%s/%s/postroad-%s", folder, places[i], name);
		if (access(out, X_OK) == 0)
			return true;
	}
	return false;
}

static enum exit_status
run_server(struct admin *admin, int argc, char **argv)
{
	char path[PATH_MAX + 64];

	(void)argc, (void)argv;
	if (!find_program("master", path, sizeof(path))) {
		admin_complain("postroad-master is not installed");
		return EXIT_FAILED;
	}
	execl(path, path, "--config", admin->config, (char *)NULL);
	admin_complain("%s: %s", path, strerror(errno));
	return EXIT_FAILED;
}

/* --- check: one finding a line, on standard error; true when all is well --- */

static bool
check_programs(void)
{
	char path[PATH_MAX + 64];
	bool good = true;
	size_t n;
	const struct service *all = services(&n);

	for (size_t i = 0; i < n; i++) {
		if (!find_program(service_name(&all[i]), path, sizeof(path))) {
			admin_complain("postroad-%s is not installed",
				       service_name(&all[i]));
			good = false;
		}
	}
	return good;
}

static bool
check_users(const struct settings *settings)
{
	const char *const users[] = {settings->user_net, settings->user_queue,
				     settings->user_auth, settings->user_mail};
	bool good = true;

	for (size_t i = 0; geteuid() == 0 && i < N_ELEMS(users); i++) {
		struct passwd *user = getpwnam(users[i]);

		if (!user || user->pw_uid == 0) {
			admin_complain("user %s: %s; make it with: useradd --system "
				       "--user-group %s",
				       users[i], user ? "is root" : "is not there",
				       users[i]);
			good = false;
		}
	}
	return good;
}

static bool
read_file(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "re");
	int c;

	if (!file) {
		admin_complain("%s: %s", path, strerror(errno));
		return false;
	}
	while ((c = getc(file)) != EOF && !out->full)
		buf_put_char(out, (char)c);
	fclose(file);
	return !out->full;
}

static bool
check_tls(const struct settings *settings)
{
	struct buf cert = buf_make(TLS_FILE_BYTES_MAX),
		   key = buf_make(TLS_FILE_BYTES_MAX);
	struct tls_context *context = NULL;
	struct err err;
	bool good;

	if (!*settings->tls_certificate) {
		admin_complain(
		    "warning: no tls_certificate is set, so there is no TLS");
		return true;
	}
	good = read_file(settings->tls_certificate, &cert) &&
	       read_file(settings->tls_key, &key);
	if (good &&
	    tls_context_new(buf_span(&cert), buf_span(&key), &context, &err) != 0) {
		admin_complain("%s: %s", settings->tls_certificate, err.text);
		good = false;
	}
	if (context && tls_context_expires(context) < time(NULL)) {
		admin_complain("%s: the certificate has expired",
			       settings->tls_certificate);
		good = false;
	}
	tls_context_free(&context);
	explicit_bzero(key.at, key.n);
	buf_release(&cert);
	buf_release(&key);
	return good;
}

static bool
check_reports(const struct settings *settings)
{
	const char *path = settings->report_templates;
	struct buf text = buf_make(DSN_TEMPLATES_BYTES_MAX + 1);
	struct dsn_templates templates;
	struct err err;
	bool good;

	if (path[0] == '\0')
		return true;
	dsn_templates_init(&templates);
	good = read_file(path, &text);
	if (good && dsn_templates_parse(&templates, buf_span(&text), path, &err) != 0) {
		admin_complain("%s", err.text);
		good = false;
	}
	dsn_templates_release(&templates);
	buf_release(&text);
	return good;
}

static bool
check_folder(const char *name, const char *path)
{
	struct stat info;

	if (stat(path, &info) == 0) {
		if (S_ISDIR(info.st_mode))
			return true;
		admin_complain("%s %s: is not a directory", name, path);
		return false;
	}
	if (errno != ENOENT) { /* a missing one is made at the start */
		admin_complain("%s %s: %s", name, path, strerror(errno));
		return false;
	}
	return true;
}

static bool
check_folders(const struct settings *s)
{
	bool good = true;

	good = check_folder("spool_directory", s->spool_directory) && good;
	good = check_folder("mail_directory", s->mail_directory) && good;
	good = check_folder("directory_directory", s->directory_directory) && good;
	good = check_folder("run_directory", s->run_directory) && good;
	return good;
}

/* Whoever can read the file can log in as we do. */
static void
check_secrets(const struct admin *admin)
{
	struct stat info;

	if (conf_routes_secret(&admin->settings.routes) &&
	    stat(admin->config, &info) == 0 && (info.st_mode & S_IROTH) != 0)
		admin_complain("warning: %s has passwords of routes, and everybody "
			       "can read it: chmod o-r",
			       admin->config);
}

static enum exit_status
check_server(struct admin *admin, int argc, char **argv)
{
	bool good;

	(void)argc, (void)argv;
	if (!admin_settings(admin))
		return EXIT_FAILED;
	check_secrets(admin);
	good = check_programs();
	good = check_users(&admin->settings) && good;
	good = check_folders(&admin->settings) && good;
	good = check_tls(&admin->settings) && good;
	good = check_reports(&admin->settings) && good;
	good = table_check_all(admin) && good;
	if (good)
		printf("%s: no faults found\n", admin->config);
	return good ? EXIT_DONE : EXIT_FAILED;
}

/* --- status, metrics ------------------------------------------------------ */

static const char *const process_states[] = {
    [PROCESS_STARTING] = "starting", [PROCESS_RUNNING] = "running",
    [PROCESS_STOPPING] = "stopping", [PROCESS_DOWN] = "waiting",
    [PROCESS_STOPPED] = "stopped",
};

static const char *
state_name(uint8_t state)
{
	return state < N_ELEMS(process_states) ? process_states[state] : "?";
}

struct status {
	struct listing *l;
	bool paused; /* some mail is, by the operator */
};

/* Is a figure of these lines "name value" above 0? */
static bool
figure_set(struct span lines, struct span name)
{
	while (lines.n > 0) {
		struct span value = span_cut(&lines, '\n');

		if (span_equal(span_cut(&value, ' '), name))
			return !span_equal(value, SPAN("0"));
	}
	return false;
}

static bool
take_process(void *context, const struct ipc_message *m)
{
	struct status *status = context;
	struct listing *l = status->l;
	const struct ipc_admin_process *p = &m->admin_process;

	if (m->number != IPC_NUMBER_admin_process)
		return false;
	if (p->kind == IPC_KIND_QMGR)
		status->paused = figure_set(p->lines, SPAN("queue_paused"));
	listing_text(l, span_str(ipc_kind_name(p->kind)));
	listing_number(l, p->instance);
	listing_number(l, p->pid);
	listing_text(l, span_str(state_name(p->state)));
	listing_number(l, p->restarts);
	listing_number(l, p->uptime_ms / 1000);
	return true;
}

static enum exit_status
show_status(struct admin *admin, int argc, char **argv)
{
	static const char *const columns[] = {"program",  "instance", "pid", "state",
					      "restarts", "uptime_s", NULL};
	const struct ipc_message ask = {.number = IPC_NUMBER_status_ask};
	struct status shown = {.l = listing_new(admin, columns)};
	enum exit_status status =
	    control_ask(admin, "master", &ask, take_process, &shown);

	(void)argc, (void)argv;
	listing_done(&shown.l, status);
	if (status == EXIT_DONE && shown.paused && !admin->json)
		puts("outgoing mail is paused: `postroad queue stats` says which");
	return status;
}

/* Lines "name value" of one process, as rows. */
static bool
take_metrics(void *context, const struct ipc_message *m)
{
	struct listing *l = context;
	struct span rest = m->admin_process.lines;

	if (m->number != IPC_NUMBER_admin_process)
		return false;
	while (rest.n > 0) {
		struct span value = span_cut(&rest, '\n');
		struct span name = span_cut(&value, ' ');
		uint64_t number;

		listing_text(l, span_str(ipc_kind_name(m->admin_process.kind)));
		listing_number(l, m->admin_process.instance);
		listing_text(l, name);
		if (number_parse(value, INT64_MAX, &number))
			listing_number(l, number);
		else
			listing_text(l, value);
	}
	return true;
}

static enum exit_status
show_metrics(struct admin *admin, int argc, char **argv)
{
	static const char *const columns[] = {"program", "instance", "name", "value",
					      NULL};
	const struct ipc_message ask = {.number = IPC_NUMBER_status_ask};
	struct listing *l = listing_new(admin, columns);
	enum exit_status status = control_ask(admin, "master", &ask, take_metrics, l);

	(void)argc, (void)argv;
	listing_done(&l, status);
	return status;
}

/* --- reload, stop --------------------------------------------------------- */

static bool
take_done(void *context, const struct ipc_message *m)
{
	bool *good = context;

	*good = m->number == IPC_NUMBER_admin_done && m->admin_done.ok;
	if (m->number == IPC_NUMBER_admin_done && m->admin_done.text.n > 0)
		fprintf(stderr, "%.*s\n",
			SPAN_ARG(span_trim(m->admin_done.text, "\n")));
	return false;
}

struct reloaded {
	bool good;
	struct buf waiting; /* settings that need a restart, as listing_items() wants */
};

static bool
take_reloaded(void *context, const struct ipc_message *m)
{
	struct reloaded *r = context;
	struct span names = m->admin_done.text;

	if (m->number != IPC_NUMBER_admin_done || !m->admin_done.ok)
		return take_done(&r->good, m);
	r->good = true;
	while (names.n > 0)
		wire_put_bytes(&r->waiting, span_cut(&names, '\n'));
	return false;
}

/* People hear of nothing but what is not in force yet. */
static void
show_waiting(const struct admin *admin, struct span waiting)
{
	static const char *const columns[] = {"needs_restart", NULL};
	struct listing *l;

	if (waiting.n == 0 && !admin->json)
		return;
	l = listing_new(admin, columns);
	listing_items(l, waiting);
	listing_end_single(&l);
}

static enum exit_status
reload_server(struct admin *admin, int argc, char **argv)
{
	const struct ipc_message ask = {.number = IPC_NUMBER_admin_reload};
	struct reloaded r = {.waiting = buf_make(IPC_PACKET_MAX)};
	enum exit_status status = control_ask(admin, "master", &ask, take_reloaded, &r);

	(void)argc, (void)argv;
	if (status == EXIT_DONE && r.good)
		show_waiting(admin, buf_span(&r.waiting));
	buf_release(&r.waiting);
	return status == EXIT_DONE && !r.good ? EXIT_FAILED : status;
}

static enum exit_status
stop_server(struct admin *admin, int argc, char **argv)
{
	const struct ipc_message ask = {.number = IPC_NUMBER_admin_stop};
	bool good = false;
	enum exit_status status = control_ask(admin, "master", &ask, take_done, &good);

	(void)argc, (void)argv;
	return status == EXIT_DONE && !good ? EXIT_FAILED : status;
}

/* --- settings ------------------------------------------------------------- */

static enum exit_status
show_settings(struct admin *admin, int argc, char **argv)
{
	static const char *const columns[] = {"setting", "value", "reload", "meaning",
					      NULL};
	struct buf value = buf_make(1u << 20);
	struct listing *l;
	size_t n;
	const struct conf_row *rows = conf_rows(&n);
	size_t shown = 0;

	if (!admin_settings(admin))
		return EXIT_FAILED;
	l = listing_new(admin, columns);
	for (size_t i = 0; i < n; i++) {
		if (argc > 0 && !strstr(rows[i].name, argv[0]))
			continue;
		shown++;
		buf_reset(&value);
		if (!conf_value_put(&admin->settings, span_str(rows[i].name), &value))
			buf_put_str(&value, "?");
		listing_text(l, span_str(rows[i].name));
		listing_text(l, buf_span(&value));
		listing_flag(l, rows[i].reloadable);
		listing_text(l, span_str(rows[i].help));
	}
	listing_end(&l);
	buf_release(&value);
	if (shown > 0)
		return EXIT_DONE;
	admin_complain("no setting has '%s' in its name", argv[0]);
	return EXIT_FAILED;
}

const struct command commands_server[] = {
    {"run",       NULL, "", 0, 0, NULL, run_server, "start in the foreground"},
    {"check",         NULL, "", 0, 0, NULL, check_server,
     "find faults in settings and machine"},
    {"status",          NULL, "", 0, 0, NULL, show_status, "the programs that run"},
    {"metrics", NULL, "", 0, 0, NULL, show_metrics, "what they count"},
    {"reload",           NULL, "", 0, 0, NULL, reload_server,
     "read settings and certificate again"},
    {"stop",NULL, "", 0, 0, NULL, stop_server,
     "finish what was acknowledged, then end"},
    {"settings",          NULL, "[PART]", 0, 1, NULL, show_settings, "settings in force"},
    {0      },
};
