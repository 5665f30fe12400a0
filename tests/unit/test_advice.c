/* tests/unit/test_advice.c - replies as servers really give them, and what is made of
 * them */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/advice/table.h"

#include <stdio.h>

#define GMAIL   "gmail-smtp-in.l.google.com[142.250.27.26]"
#define ASPMX   "aspmx.l.google.com[142.250.27.27]"
#define OUTLOOK "outlook-com.olc.protection.outlook.com[104.47.9.33]"
#define M365    "example-org.mail.protection.outlook.com[52.101.73.1]"
#define YAHOO   "mta5.am0.yahoodns.net[67.195.204.72]"
#define APPLE   "mx01.mail.icloud.com[17.57.154.33]"
#define GMX     "mx00.emig.gmx.net[212.227.15.9]"
#define ANY     "mx.example.org[192.0.2.1]"

/* clang-format off */
static const struct row {
	const char *host;
	unsigned code;
	uint16_t enhanced[3];
	const char *text, *id;
} rows[] = {
    /* Gmail */
    {GMAIL, 550, {5, 7, 26}, "This mail has been blocked because the sender is unauthenticated. Gmail requires all senders to authenticate with either SPF or DKIM. Authentication results: DKIM = did not pass SPF [example.org] with ip: [192.0.2.1] = did not pass", "google.spf-dkim"},
    {GMAIL, 550, {5, 7, 26}, "Unauthenticated email from example.org is not accepted due to domain's DMARC policy. Please contact the administrator of example.org domain", "google.dmarc"},
    {GMAIL, 550, {5, 7, 26}, "The MAIL FROM domain [example.org] has an SPF record with a hard fail policy (-all) but it fails to pass SPF checks with the ip: [192.0.2.1]", "google.spf-dkim"},
    {GMAIL, 421, {4, 7, 26}, "This mail has been rate limited because it is unauthenticated. Gmail requires all senders to authenticate with either SPF or DKIM.", "google.spf-dkim"},
    {GMAIL, 550, {5, 7, 25}, "The IP address sending this message does not have a PTR record setup, or the corresponding forward DNS entry does not point to the sending IP.", "google.ptr"},
    {GMAIL, 550, {5, 7, 1}, "[2001:db8::1] Our system has detected that this message does not meet IPv6 sending guidelines regarding PTR records and authentication.", "google.ptr"},
    {GMAIL, 421, {4, 7, 28}, "Gmail has detected an unusual rate of unsolicited mail originating from your IP address. To protect our users from spam, mail sent from your IP address has been temporarily rate limited.", "google.rate"},
    {GMAIL, 421, {4, 7, 0}, "Our system has detected an unusual rate of unsolicited mail originating from your IP address.", "google.rate"},
    {GMAIL, 550, {5, 7, 1}, "Our system has detected that this message is likely unsolicited mail. To reduce the amount of spam sent to Gmail, this message has been blocked.", "google.spam"},
    {GMAIL, 550, {5, 7, 1}, "Our system has detected that this message is likely suspicious due to the very low reputation of the sending IP address.", "google.reputation"},
    {GMAIL, 550, {5, 7, 1}, "The IP you're using to send mail is not authorized to send email directly to our servers. Please use the SMTP relay at your service provider instead.", "google.home-address"},
    {GMAIL, 550, {5, 1, 1}, "The email account that you tried to reach does not exist. Please try double-checking the recipient's email address for typos or unnecessary spaces.", "google.no-mailbox"},
    {GMAIL, 550, {5, 2, 1}, "The email account that you tried to reach is inactive. For more information, go to https://support.google.com/mail/?p=DisabledUser", "google.disabled"},
    {GMAIL, 452, {4, 2, 2}, "The recipient's inbox is out of storage space. Please direct the recipient to https://support.google.com/mail/?p=OverQuotaTemp", "google.full"},
    {GMAIL, 450, {4, 2, 1}, "The user you are trying to contact is receiving mail too quickly. Please resend your message at a later time.", "google.recipient-rate"},
    {GMAIL, 550, {5, 2, 1}, "The user you are trying to contact is receiving mail at a rate that prevents additional messages from being delivered.", "google.recipient-rate"},
    {GMAIL, 552, {5, 7, 0}, "This message was blocked because its content presents a potential security issue.", "google.attachment"},
    {GMAIL, 421, {4, 7, 32}, "Your email has been rate limited because the From: header (RFC5322) in this message isn't aligned with either the authenticated SPF or DKIM organizational domain.", "google.alignment"},
    {ASPMX, 550, {5, 7, 1}, "The user or domain that you are sending to (or from) has a policy that prohibited the mail that you sent. - gcdp a1 - gsmtp", "google.organisation"},
    {GMAIL, 552, {5, 3, 4}, "Your message exceeded Google's message size limits.", "too-large"},
    {GMAIL, 421, {4, 3, 0}, "Temporary System Problem. Try again later", "their-trouble"},
    /* Microsoft */
    {OUTLOOK, 550, {5, 7, 1}, "Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150). You can also refer your provider to http://mail.live.com/mail/troubleshooting.aspx#errors.", "microsoft.network"},
    {OUTLOOK, 550, {5, 7, 1}, "Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service provider since part of their network is on our block list (AS3150).", "microsoft.network"},
    {OUTLOOK, 550, {5, 7, 1}, "Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3140).", "microsoft.blocklist"},
    {M365, 550, {5, 7, 606}, "Access denied, banned sending IP [192.0.2.1]. To request removal from this list please visit https://sender.office.com/ and follow the directions. (AS16012609)", "microsoft.banned-ip"},
    {M365, 550, {5, 7, 649}, "Access denied, banned sending IP [192.0.2.1]", "microsoft.banned-ip"},
    {M365, 550, {5, 7, 511}, "Access denied, banned sender[192.0.2.1]. To request removal from this list please forward this message to delist@microsoft.com.", "microsoft.banned-sender"},
    {OUTLOOK, 550, {5, 7, 515}, "Access denied, sending domain EXAMPLE.ORG does not meet the required authentication level.", "microsoft.authentication"},
    {M365, 550, {5, 7, 509}, "Access denied, sending domain example.org does not pass DMARC verification and has a DMARC policy of reject", "microsoft.dmarc"},
    {M365, 451, {4, 7, 500}, "Server busy. Please try again later from [192.0.2.1]. (AS77712344)", "microsoft.greylisting"},
    {OUTLOOK, 451, {4, 7, 650}, "The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation. For e-mail delivery information, see https://postmaster.live.com (S775)", "microsoft.reputation"},
    {OUTLOOK, 421, {0, 0, 0}, "RP-001 (BAY004-MC1F1) Unfortunately, some messages from 192.0.2.1 weren't sent. Please try again.", "microsoft.rate"},
    {OUTLOOK, 421, {0, 0, 0}, "RP-003 (BAY004) Unfortunately, messages from 192.0.2.1 weren't sent", "microsoft.rate"},
    {OUTLOOK, 550, {0, 0, 0}, "SC-001 (COL004) Unfortunately, messages from 192.0.2.1 weren't sent. Please contact your Internet service provider", "microsoft.blocklist"},
    {OUTLOOK, 550, {0, 0, 0}, "DY-001 (COL004) Unfortunately, messages from 192.0.2.1 weren't sent", "microsoft.dynamic-ip"},
    {M365, 550, {5, 4, 1}, "Recipient address rejected: Access denied. [VI1EUR04FT003.eop-eur04.prod.protection.outlook.com]", "microsoft.no-mailbox"},
    {M365, 550, {5, 1, 10}, "RESOLVER.ADR.RecipientNotFound; Recipient you@example.org not found by SMTP address lookup", "microsoft.no-mailbox"},
    {M365, 550, {5, 7, 1}, "Service unavailable, Client host [192.0.2.1] blocked using Spamhaus. To request removal from this list see https://www.spamhaus.org/query/ip/192.0.2.1 (AS16012611)", "spamhaus"},
    {M365, 550, {5, 7, 133}, "RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required; Delivery restriction check failed", "microsoft.not-allowed"},
    {M365, 550, {5, 7, 124}, "sender not in allowed-senders list", "microsoft.not-allowed"},
    {M365, 451, {4, 4, 62}, "Mail sent to the wrong Office 365 region. ATTR35.", "microsoft.region"},
    {OUTLOOK, 552, {5, 2, 2}, "Mailbox full", "mailbox-full"},
    /* Yahoo, AOL */
    {YAHOO, 421, {4, 7, 0}, "[TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes", "yahoo.deferred"},
    {YAHOO, 553, {5, 7, 2}, "[TSS09] All messages from 192.0.2.1 will be permanently deferred; Retrying will NOT succeed. See https://postmaster.yahooinc.com/error-codes", "yahoo.blocked"},
    {YAHOO, 553, {5, 7, 1}, "[BL21] Connections will not be accepted from 192.0.2.1, because the ip is in Spamhaus's list; see http://postmaster.yahoo.com/550-bl23.html", "yahoo.spamhaus"},
    {YAHOO, 554, {5, 7, 9}, "Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes", "yahoo.policy"},
    {YAHOO, 550, {5, 7, 9}, "This mail has been blocked because the sender is unauthenticated. Yahoo requires all senders to authenticate with either SPF or DKIM.", "yahoo.spf-dkim"},
    {YAHOO, 554, {0, 0, 0}, "delivery error: dd This user doesn't have a yahoo.com account (x@yahoo.com) [0] - mta4213", "yahoo.no-mailbox"},
    {YAHOO, 554, {0, 0, 0}, "30 Sorry, your message to x@aol.com cannot be delivered. This mailbox is disabled (554.30).", "yahoo.disabled"},
    {YAHOO, 451, {0, 0, 0}, "mta1.example Resources temporarily unavailable. Please try again later [#4.16.1].", "yahoo.busy"},
    /* Apple */
    {APPLE, 554, {5, 7, 1}, "[HM08] Message rejected due to local policy. Please visit https://support.apple.com/en-us/HT204137", "apple.policy"},
    {APPLE, 554, {5, 7, 1}, "[HM07] Message rejected due to local policy. Please visit https://support.apple.com/en-us/HT204137", "apple.policy"},
    {APPLE, 550, {5, 7, 1}, "[CS01] Message rejected due to local policy. Please visit https://support.apple.com/en-us/HT204137", "apple.policy"},
    {APPLE, 550, {5, 7, 1}, "Your message was rejected due to example.org DMARC policy.", "dmarc"},
    {APPLE, 554, {5, 7, 1}, "[HME1] This message was blocked for failing both SPF and DKIM authentication checks.", "apple.spf-dkim"},
    {APPLE, 421, {4, 7, 1}, "Messages to x@icloud.com deferred due to excessive volume. Try again later - https://support.apple.com/en-us/HT204137", "apple.rate"},
    {APPLE, 550, {5, 7, 0}, "Blocked - see https://support.proofpoint.com/dnsbl-lookup.cgi?ip=192.0.2.1", "proofpoint.blocked"},
    {APPLE, 550, {5, 1, 1}, "<x@icloud.com>: inactive email address", "mailbox-disabled"},
    {APPLE, 552, {5, 2, 2}, "<x@icloud.com>: user is over quota", "mailbox-full"},
    /* others by name */
    {GMX, 554, {0, 0, 0}, "gmx.net (mxgmx104) Nemesis ESMTP Service not available No SMTP service IP address is block listed. For explanation visit https://postmaster.gmx.net/en/case?c=r0201", "gmx.blocklist"},
    {GMX, 554, {0, 0, 0}, "gmx.net (mxgmx016) Nemesis ESMTP Service not available No SMTP service Bad DNS PTR resource record.", "gmx.ptr"},
    {"mx-ha03.web.de[212.227.15.17]", 550, {0, 0, 0}, "<x@web.de>: Reject due to SPF policy. The originating IP of the message is not permitted by the domain owner", "gmx.spf"},
    {"mx-ha03.web.de[212.227.15.17]", 550, {0, 0, 0}, "Requested action not taken: mailbox unavailable", "gmx.no-mailbox"},
    {GMX, 554, {0, 0, 0}, "Transaction failed Reject due to policy restrictions. For explanation visit https://postmaster.gmx.net/en/case?c=hi", "gmx.policy"},
    {"mx02.t-online.de[194.25.134.9]", 554, {0, 0, 0}, "IP=192.0.2.1 - A problem occurred. Ask your postmaster for help or to contact tosa@rx.t-online.de to clarify.", "t-online.unknown"},
    {"mx02.t-online.de[194.25.134.9]", 552, {5, 2, 2}, "Over STORAGE quota", "t-online.full"},
    {"mxs.mail.ru[94.100.180.31]", 550, {0, 0, 0}, "spam message rejected. Please visit http://help.mail.ru/notspam-support/id?c=abc or report details to abuse@corp.mail.ru.", "mail-ru.spam"},
    {"mx.yandex.ru[77.88.21.249]", 554, {5, 7, 1}, "[1] Message rejected under suspicion of SPAM; https://ya.cc/1IrBc", "yandex.spam"},
    {"mx1.comcast.net[96.114.157.80]", 554, {0, 0, 0}, "resimta-po-13v.sys.comcast.net resimta-po-13v.sys.comcast.net 192.0.2.1 Comcast block for spam. Please see http://postmaster.comcast.net/smtp-error-codes.php#BL000000", "comcast.blocked"},
    {"mx1.comcast.net[96.114.157.80]", 421, {4, 1, 0}, "192.0.2.1 Throttled - try again later. Please see http://postmaster.comcast.net/smtp-error-codes.php#RL000001", "comcast.rate"},
    {"al-ip4-mx-vip1.prodigy.net[144.160.235.143]", 553, {5, 3, 0}, "flph826 DNSBL:ATTRBL 521< 192.0.2.1 >_is_blocked.__For_information_see_http://att.net/blocks", "att.blocked"},
    {"smtp-in.orange.fr[193.252.22.65]", 421, {0, 0, 0}, "mwinf5c79 ME Trop de connexions, veuillez verifier votre configuration. Too many connections, slow down. OFR005_104 [104]", "orange.connections"},
    {"smtp-in.orange.fr[193.252.22.65]", 550, {5, 2, 0}, "Mail rejete. Mail rejected. ofr_506 [506]", "orange.spam"},
    {"smtp-in.orange.fr[193.252.22.65]", 421, {0, 0, 0}, "mwinf5c77 ME Service refuse. Veuillez essayer plus tard. Service refused, please try later. OFR_999 [999]", "orange.blocked"},
    {"smtp-in.orange.fr[193.252.22.65]", 550, {5, 1, 1}, "Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416 [416]", "orange.no-mailbox"},
    {"smtpz4.laposte.net[194.117.213.1]", 550, {5, 5, 0}, "Service refuse. Veuillez essayer plus tard. service refused, please try later. LPN007_510", "laposte.blocked"},
    {"mx1.free.fr[212.27.48.6]", 550, {0, 0, 0}, "spam detected", "free.spam"},
    {"smtp-in.sfr.fr[93.17.128.123]", 550, {5, 7, 1}, "Message content rejected", "sfr.spam"},
    /* lists and filters */
    {ANY, 554, {5, 7, 1}, "Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.1", "spamhaus"},
    {ANY, 554, {5, 7, 1}, "Client host [192.0.2.1] blocked using pbl.spamhaus.org", "spamhaus.pbl"},
    {ANY, 550, {5, 7, 1}, "Your email was rejected due to having a domain present in the Spamhaus DBL -- see https://www.spamhaus.org/dbl/", "spamhaus.domain"},
    {ANY, 554, {5, 7, 1}, "Service unavailable; Client host [192.0.2.1] blocked using bl.spamcop.net", "spamcop"},
    {ANY, 554, {0, 0, 0}, "Service unavailable; Client host [192.0.2.1] blocked using Barracuda Reputation; http://www.barracudanetworks.com/reputation/?r=1&ip=192.0.2.1", "barracuda"},
    {ANY, 554, {5, 7, 1}, "Service unavailable; Client host [192.0.2.1] blocked using dnsbl-1.uceprotect.net", "uceprotect"},
    {ANY, 550, {0, 0, 0}, "Blocked - see http://csi.cloudmark.com/reset-request/?ip=192.0.2.1", "cloudmark"},
    {"eu-smtp-inbound-1.mimecast.com[195.130.217.221]", 451, {0, 0, 0}, "Internal resources are temporarily unavailable - https://community.mimecast.com/docs/DOC-1369#451", "mimecast.greylisting"},
    {"eu-smtp-inbound-1.mimecast.com[195.130.217.221]", 550, {0, 0, 0}, "Administrative prohibition - envelope blocked - https://community.mimecast.com/docs/DOC-1369#550", "mimecast.policy"},
    {"mx0a-00.pphosted.com[148.163.148.77]", 554, {0, 0, 0}, "Blocked - see https://ipcheck.proofpoint.com/?ip=192.0.2.1", "proofpoint.blocked"},
    /* phrases of many */
    {ANY, 450, {4, 2, 0}, "<x@example.org>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/example.org.html", "greylisting"},
    {ANY, 451, {4, 7, 1}, "Greylisting in action, please come back later", "greylisting"},
    {ANY, 550, {5, 1, 1}, "<x@example.org>: Recipient address rejected: User unknown in virtual mailbox table", "no-mailbox"},
    {ANY, 550, {0, 0, 0}, "No Such User Here", "no-mailbox"},
    {ANY, 552, {5, 2, 2}, "Quota exceeded (mailbox for user is full)", "mailbox-full"},
    {ANY, 450, {4, 1, 8}, "<you@nowhere.example>: Sender address rejected: Domain not found", "sender-domain"},
    {ANY, 450, {4, 7, 25}, "Client host rejected: cannot find your reverse hostname, [192.0.2.1]", "ptr"},
    {ANY, 554, {5, 7, 1}, "<x@example.net>: Relay access denied", "relay"},
    {ANY, 550, {5, 7, 1}, "This message was classified as SPAM and may not be delivered", "spam"},
    {ANY, 554, {5, 4, 6}, "Too many hops", "loop"},
    {ANY, 530, {5, 7, 0}, "Must issue a STARTTLS command first", "tls-required"},
    {ANY, 421, {4, 7, 0}, "mx.example.org Error: too many connections from 192.0.2.1", "connections"},
    {ANY, 452, {4, 3, 1}, "Insufficient system storage", "their-disk"},
    {ANY, 552, {5, 3, 4}, "Message size exceeds fixed limit", "too-large"},
    /* codes alone */
    {ANY, 550, {5, 1, 1}, "nope", "no-mailbox"},
    {ANY, 450, {4, 2, 2}, "nope", "mailbox-full"},
    {ANY, 550, {5, 7, 1}, "nope", "policy"},
    {ANY, 550, {5, 7, 99}, "nope", "policy"},
    {ANY, 450, {4, 7, 0}, "nope", "policy-later"},
    {ANY, 556, {5, 1, 10}, "nope", "null-mx"},
    {ANY, 421, {0, 0, 0}, "nope", "busy"},
    {ANY, 552, {0, 0, 0}, "nope", "too-much"},
    {ANY, 571, {0, 0, 0}, "nope", "refused"},
    {ANY, 499, {0, 0, 0}, "nope", "later"},
    /* ours */
    {"", 0, {5, 1, 10}, "example.org takes no mail (null MX)", "null-mx"},
    {"", 0, {5, 1, 2}, "there is no domain nowhere.example", "no-domain"},
    {"", 0, {5, 4, 4}, "no mail server of example.org has an address", "no-server"},
    {"", 0, {5, 4, 6}, "mail for example.org loops back to this server", "mx-loop"},
    {"", 0, {4, 4, 3}, "the mail servers of example.org cannot be asked for (DNSSEC: bogus): signature expired", "dnssec-bogus"},
    {"", 0, {4, 7, 5}, "TLS with example.org is not possible: no mail server is one of the MTA-STS policy", "sts-host"},
    {"", 0, {4, 7, 5}, "the DANE records of the mail servers of example.org cannot be had", "dane-away"},
    {"", 0, {4, 4, 3}, "the addresses of the mail servers of example.org cannot be had", "dns-away"},
    {ANY, 0, {4, 7, 5}, "the TLS handshake failed: TLS with mx.example.org: no TLSA record matches", "dane-mismatch"},
    {ANY, 0, {4, 7, 5}, "the TLS handshake failed: certificate of mx.example.org: certificate has expired", "certificate-expired"},
    {ANY, 0, {4, 7, 5}, "the TLS handshake failed: certificate of mx.example.org: names another host", "certificate"},
    {ANY, 0, {4, 7, 5}, "TLS is required, but the server does not offer it", "tls-missing"},
    {"", 0, {5, 7, 30}, "REQUIRETLS cannot be kept for example.org: neither DNSSEC nor MTA-STS vouches for its mail servers", "requiretls"},
    {ANY, 0, {4, 4, 1}, "connect to mx1.example.org[192.0.2.1]:25: Connection refused", "refused"},
    {ANY, 0, {4, 4, 1}, "connect to mx1.example.org[192.0.2.1]:25: timed out", "timeout"},
    {ANY, 0, {4, 4, 1}, "connect to mx1.example.org[2001:db8::1]:25: Network is unreachable", "unreachable"},
    {ANY, 0, {4, 4, 2}, "the connection was lost", "dropped"},
};
/* clang-format on */

static const char *
id_of(const struct row *row)
{
	const struct advice *a = advice_find(span_str(row->host), row->code,
					     row->enhanced, span_str(row->text));

	return a ? a->id : "none";
}

static void
test_advice_on_replies_of_real_servers(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		if (strcmp(id_of(&rows[i]), rows[i].id) != 0) {
			print_message("%s, not %s: %u %s\n", id_of(&rows[i]),
				      rows[i].id, rows[i].code, rows[i].text);
			wrong++;
		}
	assert_int_equal(wrong, 0);
}

static void
test_advice_on_nothing_is_none(void **state)
{
	static const struct row nothing = {
	    "", 0, {0, 0, 0},
              "", ""
        };
	static const struct row good = {
	    ANY, 250, {2, 0, 0},
              "Ok", ""
        };

	(void)state;
	assert_string_equal(id_of(&nothing), "none");
	assert_string_equal(id_of(&good), "none");
}

/* A host's name counts from its end and label by label. */
static void
test_advice_hosts_are_whole_names(void **state)
{
	static const struct row theirs = {
	    "GOOGLE.COM", 550, {5, 2, 1},
              "", ""
        };
	static const struct row others[] = {
	    {"notgoogle.com",          550, {5, 2, 1}, "", ""},
	    {"google.com.example.org", 550, {5, 2, 1}, "", ""},
	    {"",		       550, {5, 2, 1}, "", ""},
	};

	(void)state;
	assert_string_equal(id_of(&theirs), "google.disabled");
	for (size_t i = 0; i < N_ELEMS(others); i++)
		assert_string_equal(id_of(&others[i]), "mailbox-disabled");
}

/* Sentences that a person can read; the same name means the same everywhere. */
static void
test_advice_table_is_whole(void **state)
{
	const struct advice *a, *b;

	(void)state;
	for (size_t i = 0; (a = advice_at(i)); i++) {
		size_t meaning = strlen(a->meaning), todo = strlen(a->what_to_do);

		print_message("%s\n", a->id);
		assert_true(*a->id && a->who);
		assert_true(meaning > 20 && a->meaning[meaning - 1] == '.');
		assert_true(todo > 10 && a->what_to_do[todo - 1] == '.');
		assert_true(a->meaning[0] >= 'A' && a->meaning[0] <= 'Z');
		assert_non_null(advice_actor_name(a->actor));
		for (size_t k = 0; k < i; k++) {
			b = advice_at(k);
			if (strcmp(a->id, b->id) == 0)
				assert_string_equal(a->who, b->who);
		}
	}
}

static void
test_advice_phrases_are_in_small_letters(void **state)
{
	static const struct advice_part *const parts[] = {
	    &advice_providers, &advice_more_providers, &advice_filters, &advice_ours,
	    &advice_generic};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(parts); i++)
		for (size_t k = 0; k < parts[i]->n; k++) {
			const char *at = parts[i]->rows[k].phrases;

			for (; at && *at; at++)
				assert_int_equal(*at, ascii_lower(*at));
			assert_null(at && at[-1] == '|' ? at : NULL);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_advice_on_replies_of_real_servers),
	    cmocka_unit_test(test_advice_on_nothing_is_none),
	    cmocka_unit_test(test_advice_hosts_are_whole_names),
	    cmocka_unit_test(test_advice_table_is_whole),
	    cmocka_unit_test(test_advice_phrases_are_in_small_letters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
