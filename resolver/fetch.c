#include "resolver/fetch.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>

#define URL_MAX     700
#define RESOLVE_MAX 1200

struct fetcher {
	struct event_base *base;
	CURLM *multi;
	struct event *timer;
	X509_STORE *authorities;
	size_t n_authorities;
};

struct fetch {
	struct fetcher *fetcher;
	CURL *easy;
	struct curl_slist *resolve;
	struct buf body;
	fetch_done *done;
	void *context;
	char error[CURL_ERROR_SIZE];
};

/* --- before the jail ------------------------------------------------------ */

static size_t
authorities_read(X509_STORE *store, BIO *pem)
{
	X509 *certificate;
	size_t n = 0;

	while ((certificate = PEM_read_bio_X509(pem, NULL, NULL, NULL))) {
		n += X509_STORE_add_cert(store, certificate) == 1;
		X509_free(certificate);
	}
	ERR_clear_error(); /* the end of the file is one */
	return n;
}

static int
authorities_load(struct fetcher *f, const char *path, struct err *err)
{
	BIO *pem;

	f->authorities = X509_STORE_new();
	ASSERT(f->authorities);
	if (*path == '\0')
		return 0;
	pem = BIO_new_file(path, "r");
	if (!pem)
		return err_set(err, "cannot open %s", path);
	f->n_authorities = authorities_read(f->authorities, pem);
	BIO_free(pem);
	return 0;
}

size_t
fetcher_authorities(const struct fetcher *f)
{
	return f->n_authorities;
}

/* --- libcurl on the event loop -------------------------------------------- */

static void
fetch_free(struct fetch *x)
{
	(void)curl_multi_remove_handle(x->fetcher->multi, x->easy);
	curl_easy_cleanup(x->easy);
	curl_slist_free_all(x->resolve);
	buf_release(&x->body);
	free(x);
}

/* "text/plain", with or without parameters [RFC8461 3.2]. */
static bool
type_is_text(CURL *easy)
{
	const char *type = NULL;
	struct span rest;

	if (curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type) != CURLE_OK || !type)
		return false;
	rest = span_str(type);
	return span_equal_nocase(span_trim(span_cut(&rest, ';'), " \t"),
				 SPAN("text/plain"));
}

/* Null: it is what was wanted. */
static const char *
judge(struct fetch *x, CURLcode result, char *text, size_t size)
{
	long status = 0;

	if (x->body.full)
		return "the answer is too long";
	if (result != CURLE_OK) {
		(void)snprintf(text, size, "%s",
			       x->error[0] ? x->error : curl_easy_strerror(result));
		return text;
	}
	(void)curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200) {
		(void)snprintf(text, size, "the server answers with %ld", status);
		return text;
	}
	return type_is_text(x->easy) ? NULL : "the answer is not text/plain";
}

static void
ended(struct fetch *x, CURLcode result)
{
	char text[CURL_ERROR_SIZE];
	const char *error = judge(x, result, text, sizeof(text));

	x->done(x->context, error ? SPAN("") : buf_span(&x->body), error);
	fetch_free(x);
}

static void
take_ended(struct fetcher *f)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(f->multi, &left))) {
		char *x = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		ASSERT(curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &x) ==
		       CURLE_OK);
		ended((struct fetch *)(void *)x, m->data.result);
	}
}

static void
on_socket_ready(int fd, short what, void *context)
{
	struct fetcher *f = context;
	int flags = (what & EV_READ ? CURL_CSELECT_IN : 0) |
		    (what & EV_WRITE ? CURL_CSELECT_OUT : 0),
	    running;

	(void)curl_multi_socket_action(f->multi, fd, flags, &running);
	take_ended(f);
}

static void
on_time(int fd, short what, void *context)
{
	struct fetcher *f = context;
	int running;

	(void)fd, (void)what;
	(void)curl_multi_socket_action(f->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	take_ended(f);
}

/* libcurl waits for another thing on this socket. */
static int
socket_watch(CURL *easy, curl_socket_t fd, int what, void *context, void *watched)
{
	struct fetcher *f = context;
	struct event *event = watched;
	short flags = (short)((what & CURL_POLL_IN ? EV_READ : 0) |
			      (what & CURL_POLL_OUT ? EV_WRITE : 0));

	(void)easy;
	if (event)
		event_free(event);
	event = NULL;
	if (what != CURL_POLL_REMOVE && flags != 0) {
		event = event_new(f->base, fd, (short)(flags | EV_PERSIST),
				  on_socket_ready, f);
		ASSERT(event && event_add(event, NULL) == 0);
	}
	(void)curl_multi_assign(f->multi, fd, event);
	return 0;
}

static int
timer_set(CURLM *multi, long ms, void *context)
{
	struct fetcher *f = context;
	struct timeval wait = {ms / 1000, ms % 1000 * 1000};

	(void)multi;
	if (ms < 0)
		event_del(f->timer);
	else
		event_add(f->timer, &wait);
	return 0;
}

struct fetcher *
fetcher_new(struct event_base *base, const char *ca_file, struct err *err)
{
	struct fetcher *f;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		(void)err_set(err, "libcurl cannot start");
		return NULL;
	}
	f = memory_new(1, sizeof(*f));
	f->base = base;
	f->multi = curl_multi_init();
	f->timer = event_new(base, -1, 0, on_time, f);
	ASSERT(f->multi && f->timer);
	curl_multi_setopt(f->multi, CURLMOPT_SOCKETFUNCTION, socket_watch);
	curl_multi_setopt(f->multi, CURLMOPT_SOCKETDATA, f);
	curl_multi_setopt(f->multi, CURLMOPT_TIMERFUNCTION, timer_set);
	curl_multi_setopt(f->multi, CURLMOPT_TIMERDATA, f);
	curl_multi_setopt(f->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
			  (long)FETCHES_AT_ONCE);
	if (authorities_load(f, ca_file, err) != 0)
		logline(LOGLINE_WARNING, "sts.authorities", L_ERR(err));
	return f;
}

/* --- one fetch ------------------------------------------------------------ */

static size_t
on_body(char *bytes, size_t size, size_t n, void *context)
{
	struct fetch *x = context;

	buf_put(&x->body, span_make(bytes, size * n));
	return x->body.full ? 0 : size * n;
}

static CURLcode
on_tls(CURL *easy, void *tls, void *context)
{
	struct fetch *x = context;

	(void)easy;
	SSL_CTX_set1_cert_store(tls, x->fetcher->authorities);
	return CURLE_OK;
}

static void
connection_options(struct fetch *x, const struct fetch_target *target)
{
	char url[URL_MAX], resolve[RESOLVE_MAX];

	ASSERT(snprintf(url, sizeof(url), "https://%s:%u%s", target->host, target->port,
			target->path) < (int)sizeof(url));
	ASSERT(snprintf(resolve, sizeof(resolve), "+%s:%u:%s", target->host,
			target->port, target->addresses) < (int)sizeof(resolve));
	x->resolve = curl_slist_append(NULL, resolve);
	ASSERT(x->resolve);
	curl_easy_setopt(x->easy, CURLOPT_URL, url);
	curl_easy_setopt(x->easy, CURLOPT_RESOLVE, x->resolve);
	curl_easy_setopt(x->easy, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(x->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(x->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(x->easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(x->easy, CURLOPT_TIMEOUT_MS, (long)FETCH_TIMEOUT_MS);
	curl_easy_setopt(x->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)FETCH_CONNECT_MS);
}

/* Authorities come from the store alone: no file, no path. */
static void
trust_options(struct fetch *x)
{
	curl_easy_setopt(x->easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(x->easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(x->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(x->easy, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(x->easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(x->easy, CURLOPT_SSL_CTX_FUNCTION, on_tls);
	curl_easy_setopt(x->easy, CURLOPT_SSL_CTX_DATA, x);
}

static void
answer_options(struct fetch *x)
{
	curl_easy_setopt(x->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(x->easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(x->easy, CURLOPT_USERAGENT, "Postroad");
	curl_easy_setopt(x->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(x->easy, CURLOPT_WRITEDATA, x);
	curl_easy_setopt(x->easy, CURLOPT_ERRORBUFFER, x->error);
	curl_easy_setopt(x->easy, CURLOPT_PRIVATE, (char *)x);
}

struct fetch *
fetch_start(struct fetcher *f, const struct fetch_target *target, fetch_done *done,
	    void *context)
{
	struct fetch *x = memory_new(1, sizeof(*x));

	x->fetcher = f;
	x->easy = curl_easy_init();
	ASSERT(x->easy);
	x->body = buf_make(target->bytes_max);
	x->done = done;
	x->context = context;
	connection_options(x, target);
	trust_options(x);
	answer_options(x);
	ASSERT(curl_multi_add_handle(f->multi, x->easy) == CURLM_OK);
	return x;
}

void
fetch_cancel(struct fetch **fetch)
{
	if (*fetch)
		fetch_free(*fetch);
	*fetch = NULL;
}
