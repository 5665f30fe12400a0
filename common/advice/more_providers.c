#include "common/advice/table.h"

/* Providers of countries, and of connections. */

#define GMX                                                                            \
	"gmx.net gmx.com gmx.de web.de mail.com kundenserver.de ionos.com "            \
	"perfora.net 1and1.com"
#define TONLINE "t-online.de telekom.de magenta.de"
#define MAILRU  "mail.ru"
#define YANDEX  "yandex.ru yandex.net yandex.com"
#define COMCAST "comcast.net xfinity.com"
#define ATT     "att.net prodigy.net sbcglobal.net bellsouth.net"
#define ORANGE  "orange.fr wanadoo.fr"
#define LAPOSTE "laposte.net"
#define SFR     "sfr.fr neuf.fr"
#define FREE    "free.fr proxad.net"
#define COX     "cox.net"
#define CHARTER "charter.net rr.com spectrum.net"
#define SEZNAM  "seznam.cz"
#define QQ      "qq.com"
#define NETEASE "163.com 126.com netease.com yeah.net"

/* clang-format off */
static const struct advice_row rows[] = {
	/* GMX and WEB.DE: postmaster.gmx.net/en/error-messages */
	{.hosts = GMX, .phrases = "ip address is block listed|ip address is black listed|black list|block list",
	 .advice = {"gmx.blocklist", "GMX and WEB.DE", "GMX and WEB.DE have our server's address on their block list.",
	  "Find out whether spam is being sent from here or forwarded, stop it, and follow the link in the reply, which leads to a form.", ADVICE_OPERATOR}},
	{.hosts = GMX, .phrases = "bad dns ptr|c=rdns|ptr resource record|reverse dns",
	 .advice = {"gmx.ptr", "GMX and WEB.DE", "Our server's IP address has no name in the DNS (PTR), or one that looks like a home connection's.",
	  "Have the provider of the address set its PTR to the name this server greets with.", ADVICE_OPERATOR}},
	{.hosts = GMX, .phrases = "due to spf policy|reject due to spf",
	 .advice = {"gmx.spf", "GMX and WEB.DE", "The SPF record of the sender's domain does not name our server, so the message is taken for a forgery.",
	  "Add this server's addresses to the SPF record of the domain; for forwards see that srs is on.", ADVICE_OPERATOR}},
	{.hosts = GMX, .phrases = "policy restrictions",
	 .advice = {"gmx.policy", "GMX and WEB.DE", "GMX and WEB.DE refuse the message by their rules for content or behaviour.",
	  "The link in the reply says which rule it was.", ADVICE_OPERATOR}},
	{.hosts = GMX, .phrases = "presumed to be infected|virus",
	 .advice = {"gmx.virus", "GMX and WEB.DE", "The message is thought to carry malware.",
	  "Check the attachment.", ADVICE_SENDER}},
	{.hosts = GMX, .phrases = "rate limit|exceeded*rate|too many|mails per session|access rate",
	 .advice = {"gmx.rate", "GMX and WEB.DE", "More mail comes from our address than they allow for it.",
	  "Nothing needs to be done: it goes on more slowly. If it lasts for hours, look whether spam is being sent from here.", ADVICE_NOBODY}},
	{.hosts = GMX, .phrases = "no smtp service|service not available",
	 .advice = {"gmx.refused", "GMX and WEB.DE", "They do not talk to our server's address at all.",
	  "The link in the reply says why; often it is the PTR of the address, or that it belongs to a home connection.", ADVICE_OPERATOR}},
	{.hosts = GMX, .phrases = "mailbox unavailable",
	 .advice = {"gmx.no-mailbox", "GMX and WEB.DE", "There is no such mailbox, or it is closed.",
	  "Check the address for mistakes.", ADVICE_SENDER}},

	/* T-Online: postmaster.t-online.de */
	{.phrases = "tosa@rx.t-online.de|a problem occurred*t-online",
	 .advice = {"t-online.unknown", "T-Online", "T-Online takes mail only from servers it knows, and does not know ours, or has blocked it.",
	  "Put an imprint with your name and address on a web page of the server's domain, see that PTR and greeting are the same name there, and write to tosa@rx.t-online.de with the IP address.", ADVICE_OPERATOR}},
	{.hosts = TONLINE, .code = 554, .advice = {"t-online.unknown", "T-Online", "T-Online takes mail only from servers it knows, and does not know ours, or has blocked it.",
	  "Put an imprint with your name and address on a web page of the server's domain, see that PTR and greeting are the same name there, and write to tosa@rx.t-online.de with the IP address.", ADVICE_OPERATOR}},
	{.hosts = TONLINE, .phrases = "over storage quota",
	 .advice = {"t-online.full", "T-Online", "The recipient's mailbox is full.",
	  "Tell the recipient by other means.", ADVICE_RECIPIENT}},

	/* Mail.ru: postmaster.mail.ru */
	{.hosts = MAILRU, .phrases = "spam message rejected|notspam-support",
	 .advice = {"mail-ru.spam", "Mail.ru", "Mail.ru takes the message for spam.",
	  "Follow the link in the reply, and register the sender's domain at postmaster.mail.ru.", ADVICE_OPERATOR}},
	{.hosts = MAILRU, .phrases = "dmarc policy",
	 .advice = {"mail-ru.dmarc", "Mail.ru", "The domain in From asks others (by its DMARC policy) to refuse mail that is neither from its servers (SPF) nor signed by it (DKIM), and this message is neither.",
	  "Let this server into the domain's SPF record, and sign with DKIM.", ADVICE_OPERATOR}},
	{.hosts = MAILRU, .phrases = "non-local sender verification|bad reputation|unfortunately, we cannot|blocked",
	 .advice = {"mail-ru.blocked", "Mail.ru", "Mail.ru takes no mail from our server's address, or from the sender's domain.",
	  "Check PTR, SPF and DKIM, and ask for help at help.mail.ru/notspam-support with the reply.", ADVICE_OPERATOR}},
	{.hosts = MAILRU, .code = 4, .phrases = "ratelimit|rate limit|try again later",
	 .advice = {"mail-ru.rate", "Mail.ru", "Mail.ru takes only so much mail from us in a time.",
	  "Nothing needs to be done: it is tried again by itself.", ADVICE_NOBODY}},

	/* Yandex: yandex.com/support/mail, "bounces" */
	{.hosts = YANDEX, .phrases = "suspicion of spam",
	 .advice = {"yandex.spam", "Yandex", "Yandex takes the message for spam. When nothing but spam comes from an address, it takes no more from it for a day.",
	  "Look whether spam is being sent from here or forwarded; register the domain at postoffice.yandex.com.", ADVICE_OPERATOR}},
	{.hosts = YANDEX, .phrases = "spam statistics|ya.cc/|client host*blocked",
	 .advice = {"yandex.blocked", "Yandex", "Yandex has blocked our server's address for a day, because nearly all mail from it looked like spam.",
	  "Stop the spam; the block ends by itself after 24 hours.", ADVICE_OPERATOR}},
	{.hosts = YANDEX, .code = 4, .phrases = "try again later|sorry, the service",
	 .advice = {"yandex.later", "Yandex", "Yandex does not know our server yet, and takes its mail at a later attempt.",
	  "Nothing needs to be done: it is tried again by itself.", ADVICE_NOBODY}},
	{.hosts = YANDEX, .phrases = "no such user|bad recipient",
	 .advice = {"yandex.no-mailbox", "Yandex", "There is no such account with Yandex.",
	  "Check the address for mistakes.", ADVICE_SENDER}},

	/* Comcast: postmaster.comcast.net/mail-error-codes */
	{.phrases = "bl000000|bl000001|bl000010|bl000011|bl000100|bl000101|bl000110|bl000111|bl001000",
	 .advice = {"comcast.blocked", "Comcast", "Comcast has blocked our server's address: it sent what looks like spam, or is on a list (Spamhaus, Cloudmark, Sender Score).",
	  "Stop the spam, have the address taken off those lists, then use the form at postmaster.comcast.net/block-removal-request.html.", ADVICE_OPERATOR}},
	{.phrases = "rl000001|rl000002|rl000003|rl000010",
	 .advice = {"comcast.rate", "Comcast", "Comcast takes only so much mail from our address in a time; the better its reputation, the more.",
	  "Nothing needs to be done: it goes on more slowly.", ADVICE_NOBODY}},
	{.phrases = "es000001|es000010",
	 .advice = {"comcast.dynamic-ip", "Comcast", "Our server's IP address is one of a home connection, from which Comcast takes no mail.",
	  "Send through the mail server of the network's provider (a route with to), or from an address that is meant for servers.", ADVICE_OPERATOR}},
	{.hosts = COMCAST, .phrases = "too many sessions",
	 .advice = {"comcast.sessions", "Comcast", "We have more connections open than Comcast allows for our address.",
	  "Nothing needs to be done: fewer are opened now. A route with connections = ... sets a limit for good.", ADVICE_NOBODY}},
	{.hosts = COMCAST, .phrases = "ptr|reverse dns",
	 .advice = {"comcast.ptr", "Comcast", "Our server's IP address has no name in the DNS (PTR).",
	  "Have the provider of the address set its PTR to the name this server greets with.", ADVICE_OPERATOR}},

	/* AT&T */
	{.phrases = "attrbl|abuse_rbl@abuse-att.net|rblmx",
	 .advice = {"att.blocked", "AT&T", "AT&T has blocked our server's address.",
	  "Stop what spam is being sent from here, then write to abuse_rbl@abuse-att.net with the IP address; for domains whose MX is at Yahoo see senders.yahooinc.com.", ADVICE_OPERATOR}},
	{.hosts = ATT, .phrases = "is blocked|blocked by",
	 .advice = {"att.blocked", "AT&T", "AT&T has blocked our server's address.",
	  "Stop what spam is being sent from here, then write to abuse_rbl@abuse-att.net with the IP address; for domains whose MX is at Yahoo see senders.yahooinc.com.", ADVICE_OPERATOR}},

	/* Orange, La Poste, SFR, Free */
	{.hosts = ORANGE, .phrases = "ofr*_104|trop de connexions",
	 .advice = {"orange.connections", "Orange", "We have more connections open than Orange allows (often it is two or three).",
	  "Nothing needs to be done: fewer are opened now. A route with connections = 2 sets that for good.", ADVICE_NOBODY}},
	{.hosts = ORANGE, .phrases = "ofr*_506",
	 .advice = {"orange.spam", "Orange", "Orange takes the message for spam.",
	  "Write it differently (fewer links, no shortened ones); check SPF and DKIM of the sender's domain.", ADVICE_SENDER}},
	{.hosts = ORANGE, .phrases = "ofr*_102|ofr*_103|ofr*_108|ofr*_109|ofr*_505|ofr*_999",
	 .advice = {"orange.blocked", "Orange", "Orange does not take mail from our server's address for now: its reputation is bad, or a list (Cloudmark, Spamhaus) has it.",
	  "Stop what spam is being sent from here, and ask for removal at csi.cloudmark.com/reset-request; then wait, as repeated attempts prolong the block.", ADVICE_OPERATOR}},
	{.hosts = ORANGE, .phrases = "ofr*_416",
	 .advice = {"orange.no-mailbox", "Orange", "There is no such account with Orange.",
	  "Check the address for mistakes.", ADVICE_SENDER}},
	{.hosts = ORANGE, .phrases = "ofr*_417",
	 .advice = {"orange.full", "Orange", "The recipient's mailbox is full.",
	  "Tell the recipient by other means.", ADVICE_RECIPIENT}},
	{.hosts = ORANGE, .phrases = "ofr*_403|ofr*_405|ofr*_415|emetteur invalide",
	 .advice = {"orange.sender", "Orange", "Orange does not take the sender's address for a good one: its domain cannot be found, or SPF fails.",
	  "Check MX and SPF of the sender's domain.", ADVICE_OPERATOR}},
	{.hosts = ORANGE, .phrases = "veuillez essayer plus tard|try later",
	 .advice = {"orange.later", "Orange", "Orange does not take mail from our address now.",
	  "It is tried again by itself; a route with connections = 2 helps.", ADVICE_NOBODY}},
	{.hosts = LAPOSTE, .phrases = "lpn*_102|lpn*_101|lpn*_103|lpn*_510|lpn*_630|lpnaaa",
	 .advice = {"laposte.blocked", "La Poste", "La Poste has blocked our server's address: a list named in the reply has it, or spam came from it.",
	  "Follow the link in the reply; stop what spam is being sent from here.", ADVICE_OPERATOR}},
	{.hosts = LAPOSTE, .phrases = "lpn*_401|lpn*_517",
	 .advice = {"laposte.authentication", "La Poste", "SPF or DMARC of the sender's domain says that our server may not send this.",
	  "Let this server into the domain's SPF record, and sign with DKIM.", ADVICE_OPERATOR}},
	{.hosts = LAPOSTE, .phrases = "lpn*_104|lpn*_105",
	 .advice = {"laposte.rate", "La Poste", "We send more, or over more connections, than La Poste allows.",
	  "Nothing needs to be done: it goes on more slowly.", ADVICE_NOBODY}},
	{.hosts = LAPOSTE, .phrases = "lpn",
	 .advice = {"laposte.later", "La Poste", "La Poste refuses the message by its own rules.",
	  "Look at the code at the end of the reply; postmaster.laposte.net explains them.", ADVICE_OPERATOR}},
	{.hosts = SFR, .phrases = "message content rejected",
	 .advice = {"sfr.spam", "SFR", "SFR takes the message for spam.",
	  "Write it differently (fewer links, no shortened ones).", ADVICE_SENDER}},
	{.hosts = FREE, .phrases = "too many spam|spam detected|spamming",
	 .advice = {"free.spam", "Free", "Free has seen too much spam from our server's address.",
	  "Stop what spam is being sent from here or forwarded; the block ends by itself within some days, sooner by postmaster.free.fr.", ADVICE_OPERATOR}},
	{.hosts = FREE, .code = 4, .phrases = "too many|greylist|try again",
	 .advice = {"free.later", "Free", "Free takes mail of servers it knows little slowly.",
	  "Nothing needs to be done: it is tried again by itself.", ADVICE_NOBODY}},

	/* Cox, Spectrum: the code names the reason */
	{.hosts = COX, .phrases = "cxbl|cxsnd|cxthrt|cxmjr|cxdns",
	 .advice = {"cox.blocked", "Cox", "Cox refuses or limits mail from our server's address, for its reputation or its DNS entries.",
	  "Check the PTR of the address, stop what spam is being sent from here, then write to unblock.request@cox.net.", ADVICE_OPERATOR}},
	{.hosts = CHARTER, .phrases = "aup#|e1000|blocked|aup#in",
	 .advice = {"spectrum.blocked", "Spectrum", "Spectrum refuses or limits mail from our server's address, for its reputation.",
	  "Stop what spam is being sent from here, and ask for removal at spectrum.net/support with the code in the reply.", ADVICE_OPERATOR}},

	{.hosts = SEZNAM, .phrases = "spam|blocked|antispam",
	 .advice = {"seznam.spam", "Seznam", "Seznam takes the message for spam, or has blocked our server's address.",
	  "Check SPF, DKIM and PTR, and ask for help at fbl.seznam.cz.", ADVICE_OPERATOR}},
	{.hosts = QQ, .phrases = "spam|reject by content|suspected|ip frequency|connection frequency",
	 .advice = {"qq.policy", "QQ Mail", "QQ refuses the message or limits our address, for its reputation or the message's content.",
	  "Check SPF, DKIM and PTR; service.mail.qq.com explains the reply.", ADVICE_OPERATOR}},
	{.hosts = NETEASE, .phrases = "mi:|dt:spm|spm|ip is in",
	 .advice = {"netease.policy", "NetEase", "NetEase refuses the message, for its content or the reputation of our address.",
	  "The code in the reply is explained at help.163.com.", ADVICE_OPERATOR}},
};
/* clang-format on */

const struct advice_part advice_more_providers = {rows, N_ELEMS(rows)};
