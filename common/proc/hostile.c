#include "common/proc/hostile.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Each try gives 0 when it worked, which is bad, or the errno of the refusal. */

static int
errno_of(long result)
{
	return result >= 0 ? 0 : errno;
}

static int
open_path(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int code = errno_of(fd);

	if (fd >= 0)
		close(fd);
	return code;
}

static int
try_passwd(const struct settings *s)
{
	(void)s;
	return open_path("/etc/passwd");
}

static int
try_upwards(const struct settings *s)
{
	(void)s;
	return open_path("../../../../../../../../etc/passwd");
}

static int
try_spool(const struct settings *s)
{
	return open_path(s->spool_directory);
}

static int
try_mail(const struct settings *s)
{
	return open_path(s->mail_directory);
}

static int
try_directory(const struct settings *s)
{
	return open_path(s->directory_directory);
}

static int
try_tls_key(const struct settings *s)
{
	return open_path(s->tls_key);
}

static int
try_control(const struct settings *s)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/control", s->run_directory);
	return open_path(path);
}

/* A descriptor of a directory would be a way out of any root directory. */
static int
try_directory_fd(const struct settings *s)
{
	struct stat st;

	(void)s;
	for (int fd = 0; fd < 1024; fd++)
		if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
			return 0;
	return EBADF;
}

static int
try_create(const struct settings *s)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/hostile", s->run_directory);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		fd = open("/hostile", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	return errno_of(fd);
}

static int
try_fork(const struct settings *s)
{
	pid_t pid = fork();
	int code = errno_of(pid);

	(void)s;
	if (pid == 0)
		_exit(0);
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
	return code;
}

static void *
thread_main(void *context)
{
	return context;
}

static int
try_thread(const struct settings *s)
{
	pthread_t thread;
	int code = pthread_create(&thread, NULL, thread_main, NULL);

	(void)s;
	if (code == 0)
		(void)pthread_join(thread, NULL);
	return code;
}

static int
try_setuid(const struct settings *s)
{
	(void)s;
	return errno_of(setuid(0));
}

static int
try_setgroups(const struct settings *s)
{
	gid_t group = 0;

	(void)s;
	return errno_of(setgroups(1, &group));
}

static int
try_chroot(const struct settings *s)
{
	(void)s;
	return errno_of(chroot("/"));
}

static int
try_mount(const struct settings *s)
{
	(void)s;
	return errno_of(mount("none", "/", "tmpfs", 0, NULL));
}

static int
try_namespace(const struct settings *s)
{
	(void)s;
	return errno_of(unshare(CLONE_NEWNS));
}

static int
try_kill_master(const struct settings *s)
{
	(void)s;
	return errno_of(kill(getppid(), 0));
}

static int
try_trace_master(const struct settings *s)
{
	(void)s;
	return errno_of(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

/* Programs of the same user are started next to each other. */
static int
try_trace_sibling(const struct settings *s)
{
	(void)s;
	for (pid_t pid = getpid() - 12; pid < getpid() + 12; pid++)
		if (pid != getpid() && pid > 1 &&
		    ptrace(PTRACE_ATTACH, pid, NULL, NULL) == 0)
			return 0;
	return errno;
}

/* A socket that something listens on, as master's own namespace has it. */
static int
try_connect(const struct settings *s)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	struct conf_listen where = {0};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int code = errno_of(fd);

	if (fd < 0)
		return code;
	if (s->smtp_listen.n > 0 &&
	    !conf_listen_parse(span_str(s->smtp_listen.at[0]), &where))
		where.port = 25;
	address.sin_port = htons(where.port);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	code = errno_of(connect(fd, (struct sockaddr *)&address, sizeof(address)));
	close(fd);
	return code;
}

static int
try_raw_socket(const struct settings *s)
{
	(void)s;
	return errno_of(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static int
try_raise_limit(const struct settings *s)
{
	struct rlimit limit;

	(void)s;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return errno;
	limit.rlim_max++;
	return errno_of(setrlimit(RLIMIT_NOFILE, &limit));
}

static const struct attempt {
	const char *what;
	int (*run)(const struct settings *s);
} attempts[] = {
    {"open.passwd",      try_passwd       },
    {"open.upwards",     try_upwards      },
    {"open.spool",       try_spool        },
    {"open.mail",        try_mail         },
    {"open.directory",   try_directory    },
    {"open.tls_key",     try_tls_key      },
    {"open.control",     try_control      },
    {"fd.directory",     try_directory_fd },
    {"create.file",      try_create       },
    {"fork",	     try_fork         },
    {"thread",           try_thread       },
    {"setuid",           try_setuid       },
    {"setgroups",        try_setgroups    },
    {"chroot",           try_chroot       },
    {"mount",            try_mount        },
    {"namespace",        try_namespace    },
    {"kill.master",      try_kill_master  },
    {"trace.master",     try_trace_master },
    {"trace.sibling",    try_trace_sibling},
    {"connect.tcp",      try_connect      },
    {"socket.raw",       try_raw_socket   },
    {"limit.open_files", try_raise_limit  },
};

void
hostile_try(const struct settings *settings)
{
	const char *wanted = getenv("POSTROAD_HOSTILE");

	if (!wanted || strcmp(wanted, "1") != 0)
		return;
	for (size_t i = 0; i < N_ELEMS(attempts); i++) {
		int code = attempts[i].run(settings);
		const char *name = code ? strerrorname_np(code) : "";

		logline(LOGLINE_WARNING, "hostile.try", L_STR("what", attempts[i].what),
			L_STR("refused", code ? "yes" : "no"), L_STR("error", name));
	}
	logline(LOGLINE_WARNING, "hostile.done", L_U64("uid", getuid()));
}
