"""What Postfixadmin 3.3 and hMailServer 5.7 keep in PostgreSQL, with people in it: the columns of
their tables, made as those programs make them, and rows as these write them."""
import hashlib

# Columns that the programs make, in their order. "text" stands for every width of varchar: PostgreSQL
# gives both out alike.
POSTFIXADMIN = {
    "admin": "username text, password text, created timestamptz DEFAULT now(), "
             "modified timestamptz DEFAULT now(), active boolean DEFAULT true, superadmin boolean DEFAULT false, "
             "phone text DEFAULT '', email_other text DEFAULT '', token text DEFAULT '', "
             "token_validity timestamptz DEFAULT '2000-01-01'",
    "alias": "address text, goto text, domain text, created timestamptz DEFAULT now(), "
             "modified timestamptz DEFAULT now(), active boolean DEFAULT true",
    "alias_domain": "alias_domain text, target_domain text, created timestamptz DEFAULT now(), "
                    "modified timestamptz DEFAULT now(), active boolean DEFAULT true",
    "domain": "domain text, description text DEFAULT '', aliases integer DEFAULT 0, mailboxes integer DEFAULT 0, "
              "maxquota bigint DEFAULT 0, quota bigint DEFAULT 0, transport text, backupmx boolean DEFAULT false, "
              "created timestamptz DEFAULT now(), modified timestamptz DEFAULT now(), active boolean DEFAULT true, "
              "password_expiry integer DEFAULT 0",
    "domain_admins": "username text, domain text, created timestamptz DEFAULT now(), active boolean DEFAULT true, "
                     "id serial",
    "log": "\"timestamp\" timestamptz DEFAULT now(), username text, domain text, action text, data text",
    "mailbox": "username text, password text DEFAULT '', name text DEFAULT '', maildir text DEFAULT '', "
               "quota bigint DEFAULT 0, created timestamptz DEFAULT now(), modified timestamptz DEFAULT now(), "
               "active boolean DEFAULT true, domain text, local_part text, phone text DEFAULT '', "
               "email_other text DEFAULT '', token text DEFAULT '', token_validity timestamptz DEFAULT '2000-01-01', "
               "password_expiry timestamptz DEFAULT '2000-01-01'",
    "quota2": "username text, bytes bigint DEFAULT 0, messages integer DEFAULT 0",
    "vacation": "email text, subject text, body text DEFAULT '', created timestamptz DEFAULT now(), "
                "active boolean DEFAULT true, domain text, modified timestamptz DEFAULT now(), "
                "activefrom timestamptz DEFAULT '2000-01-01', activeuntil timestamptz DEFAULT '2038-01-18', "
                "interval_time integer DEFAULT 0",
}
HMAILSERVER = {
    "hm_accounts": "accountid bigserial, accountdomainid int, accountadminlevel smallint, accountaddress text, "
                   "accountpassword text, accountactive smallint, accountisad smallint, accountaddomain text, "
                   "accountadusername text, accountmaxsize int, accountvacationmessageon smallint, "
                   "accountvacationmessage text, accountvacationsubject text, accountpwencryption smallint, "
                   "accountforwardenabled smallint, accountforwardaddress text, accountforwardkeeporiginal smallint, "
                   "accountenablesignature smallint, accountsignatureplaintext text, accountsignaturehtml text, "
                   "accountlastlogontime timestamp, accountvacationexpires smallint, "
                   "accountvacationexpiredate timestamp, accountpersonfirstname text, accountpersonlastname text",
    "hm_aliases": "aliasid bigserial, aliasdomainid int, aliasname text, aliasvalue text, aliasactive smallint",
    "hm_domains": "domainid bigserial, domainname text, domainactive smallint, domainpostmaster text, "
                  "domainmaxsize integer, domainaddomain text, domainmaxmessagesize integer, "
                  "domainuseplusaddressing smallint, domainplusaddressingchar varchar(1), "
                  "domainantispamoptions integer, domainenablesignature smallint, domainsignaturemethod smallint, "
                  "domainsignatureplaintext text, domainsignaturehtml text, domainaddsignaturestoreplies smallint, "
                  "domainaddsignaturestolocalemail smallint, domainmaxnoofaccounts int, domainmaxnoofaliases int, "
                  "domainmaxnoofdistributionlists int, domainlimitationsenabled int, domainmaxaccountsize int, "
                  "domaindkimselector text, domaindkimprivatekeyfile text",
    "hm_domain_aliases": "daid bigserial, dadomainid int, daalias text",
    "hm_messages": "messageid bigserial, messageaccountid int, messagefolderid integer DEFAULT 0, "
                   "messagefilename text, messagetype smallint, messagefrom text, messagesize bigint, "
                   "messagecurnooftries int, messagenexttrytime timestamp, messageflags smallint, "
                   "messagecreatetime timestamp, messagelocked smallint, messageuid bigint",
    "hm_distributionlists": "distributionlistid bigserial, distributionlistdomainid int, "
                            "distributionlistaddress text, distributionlistenabled smallint, "
                            "distributionlistrequireauth smallint, distributionlistrequireaddress text, "
                            "distributionlistmode smallint",
    "hm_distributionlistsrecipients": "distributionlistrecipientid bigserial, distributionlistrecipientlistid int, "
                                      "distributionlistrecipientaddress text",
    "hm_imapfolders": "folderid bigserial, folderaccountid int, folderparentid int, foldername text, "
                      "folderissubscribed smallint, foldercreationtime timestamp, foldercurrentuid bigint",
}


def quoted(value):
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return "'" + value.replace("'", "''") + "'"


def insert(table, **values):
    return f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(map(quoted, values.values()))});"


def make(tables):
    return "\n".join(f"CREATE TABLE {name} ({columns});" for name, columns in tables.items())


def postfixadmin(hashes):
    """`hashes` gives the password of jane and bob as that program would keep them."""
    rows = [
        insert("domain", domain="ALL", description="", transport=""),
        insert("domain", domain="example.org", description="Main", aliases=10, mailboxes=20, maxquota=100,
               quota=2048, transport="virtual"),
        insert("domain", domain="example.net", description="Other name", transport="virtual"),
        insert("domain", domain="closed.example", description="", transport="virtual", active=False),
        insert("alias_domain", alias_domain="example.net", target_domain="example.org"),
        insert("admin", username="root@example.org", password="x", superadmin=True),
        insert("domain_admins", username="root@example.org", domain="ALL"),
        insert("domain_admins", username="jane@example.org", domain="example.org"),
        insert("mailbox", username="jane@example.org", password=hashes["jane"], name="Jane Doe",
               maildir="example.org/jane/", quota=50 << 20, domain="example.org", local_part="jane"),
        insert("mailbox", username="bob@example.org", password=hashes["bob"], name="Bob O'Neill",
               maildir="example.org/bob/", domain="example.org", local_part="bob"),
        insert("mailbox", username="gone@example.org", password="{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$x$y",
               maildir="example.org/gone/", domain="example.org", local_part="gone", active=False),
        insert("alias", address="jane@example.org", goto="jane@example.org,jane@elsewhere.example",
               domain="example.org"),
        insert("alias", address="bob@example.org",
               goto="bob@example.org,bob#example.org@autoreply.example.org", domain="example.org"),
        insert("alias", address="gone@example.org", goto="gone@example.org", domain="example.org"),
        insert("alias", address="sales@example.org", goto="jane@example.org,bob@example.org",
               domain="example.org"),
        insert("alias", address="office@example.org", goto="sales@example.org", domain="example.org"),
        insert("alias", address="@example.org", goto="jane@example.org", domain="example.org"),
        insert("vacation", email="bob@example.org", subject="Away", body="Back in May.\nBob",
               domain="example.org", interval_time=86400),
    ]
    return make(POSTFIXADMIN) + "\n" + "\n".join(rows)


def hmail_sha256(password, salt="0a1b2c"):
    return salt + hashlib.sha256((salt + password).encode()).hexdigest()


# --- hMailServer ----------------------------------------------------------------------------------

# Blowfish of "geheim!" with the key of that program; its words are little-endian.
HMAIL_BLOWFISH = "d3e7fbe6c2ee185d"

ACCOUNT = dict(accountadminlevel=0, accountactive=1, accountisad=0, accountaddomain="", accountadusername="",
               accountmaxsize=0, accountvacationmessageon=0, accountvacationmessage="", accountvacationsubject="",
               accountforwardenabled=0, accountforwardaddress="", accountforwardkeeporiginal=0,
               accountenablesignature=0, accountsignatureplaintext="", accountsignaturehtml="",
               accountlastlogontime="2026-01-01 00:00:00", accountvacationexpires=0,
               accountvacationexpiredate="2026-01-01 00:00:00", accountpersonfirstname="",
               accountpersonlastname="")
MESSAGE = dict(messagetype=2, messagefrom="x@elsewhere.example", messagecurnooftries=0,
               messagenexttrytime="1901-01-01 00:00:00", messagelocked=0)


def hmailserver_objects():
    return [
        insert("hm_domains", domainid=4, domainname="example.org", domainactive=1,
               domainpostmaster="jane@example.org", domainmaxsize=1000, domainaddomain="", domainmaxmessagesize=20480,
               domainuseplusaddressing=1, domainplusaddressingchar="-", domainantispamoptions=0,
               domainenablesignature=0, domainsignaturemethod=1, domainsignatureplaintext="", domainsignaturehtml="",
               domainaddsignaturestoreplies=0, domainaddsignaturestolocalemail=0, domainmaxnoofaccounts=50,
               domainmaxnoofaliases=0, domainmaxnoofdistributionlists=0, domainlimitationsenabled=1,
               domainmaxaccountsize=100, domaindkimselector="", domaindkimprivatekeyfile=""),
        insert("hm_domain_aliases", dadomainid=4, daalias="example.net"),
        insert("hm_accounts", **{**ACCOUNT, "accountid": 11, "accountdomainid": 4, "accountadminlevel": 1,
               "accountaddress": "jane@example.org", "accountpassword": hmail_sha256("old secret"),
               "accountpwencryption": 3, "accountmaxsize": 50, "accountpersonfirstname": "Jane",
               "accountpersonlastname": "Doe"}),
        insert("hm_accounts", **{**ACCOUNT, "accountid": 12, "accountdomainid": 4,
               "accountaddress": "bob@example.org", "accountpassword": HMAIL_BLOWFISH, "accountpwencryption": 1,
               "accountforwardenabled": 1, "accountforwardaddress": "bob@elsewhere.example",
               "accountforwardkeeporiginal": 1}),
        insert("hm_accounts", **{**ACCOUNT, "accountid": 13, "accountdomainid": 4,
               "accountaddress": "md5@example.org", "accountpassword": hashlib.md5(b"md5 secret").hexdigest(),
               "accountpwencryption": 2, "accountvacationmessageon": 1, "accountvacationmessage": "Away",
               "accountvacationsubject": "Out"}),
        insert("hm_accounts", **{**ACCOUNT, "accountid": 14, "accountdomainid": 4,
               "accountaddress": "plain@example.org", "accountpassword": "plain secret", "accountpwencryption": 0}),
        insert("hm_accounts", **{**ACCOUNT, "accountid": 15, "accountdomainid": 4,
               "accountaddress": "ad@example.org", "accountpassword": "", "accountpwencryption": 3,
               "accountisad": 1, "accountaddomain": "CORP", "accountadusername": "ad"}),
        insert("hm_aliases", aliasdomainid=4, aliasname="sales@example.org", aliasvalue="jane@example.org",
               aliasactive=1),
        insert("hm_aliases", aliasdomainid=4, aliasname="old@example.org", aliasvalue="jane@example.org",
               aliasactive=0),
        insert("hm_distributionlists", distributionlistid=7, distributionlistdomainid=4,
               distributionlistaddress="all@example.org", distributionlistenabled=1, distributionlistrequireauth=0,
               distributionlistrequireaddress="", distributionlistmode=1),
        *[insert("hm_distributionlistsrecipients", distributionlistrecipientlistid=7,
                 distributionlistrecipientaddress=a) for a in ("jane@example.org", "bob@example.org",
                                                               "guest@elsewhere.example")],
    ]


# Folders of jane: number, parent, name (modified UTF-7), subscribed, made, the last UID given out.
FOLDERS = [(21, -1, "INBOX", 1, "2020-03-01 10:00:00", 40), (22, -1, "Sent", 1, "2020-03-01 10:00:01", 9),
           (23, -1, "Entw&APw-rfe", 0, "2021-07-05 08:30:00", 3), (24, 23, "2025", 1, "2025-01-02 00:00:00", 0)]
# Messages of jane: folder, UID, flags (Seen 1 Deleted 2 Flagged 4 Answered 8 Draft 16), when, file.
MESSAGES = [
    (21, 3, 1, "2024-05-06 07:08:09", "{A1B2C3D4-0000-4000-8000-000000000001}.eml"),
    (21, 17, 0, "2024-11-12 13:14:15", "{A1B2C3D4-0000-4000-8000-000000000002}.eml"),
    (21, 39, 1 | 4 | 8, "2026-01-02 03:04:05", "{0F0F0F0F-0000-4000-8000-000000000003}.eml"),
    (22, 9, 1, "2025-02-03 04:05:06", "{0F0F0F0F-0000-4000-8000-000000000004}.eml"),
    (23, 2, 16, "2026-06-07 08:09:10", "{77777777-0000-4000-8000-000000000005}.eml"),
]


def letter(uid):
    lines = "".join(f"Line {i} of it.\r\n" for i in range(uid))
    return (f"From: a{uid}@elsewhere.example\r\nTo: jane@example.org\r\nSubject: Letter {uid}\r\n"
            f"Date: Mon, 6 May 2024 07:08:09 +0000\r\nMessage-ID: <{uid}@elsewhere.example>\r\n\r\n{lines}").encode()


def hmailserver_mail(data):
    """The files below the data directory, and the rows for them."""
    rows = [insert("hm_imapfolders", folderid=number, folderaccountid=11, folderparentid=parent, foldername=name,
                   folderissubscribed=subscribed, foldercreationtime=made, foldercurrentuid=last)
            for number, parent, name, subscribed, made, last in FOLDERS]
    for folder, uid, flags, when, file in MESSAGES:
        path = data / "example.org" / "jane" / file[1:3] / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(letter(uid))
        rows.append(insert("hm_messages", **{**MESSAGE, "messageaccountid": 11, "messagefolderid": folder,
                           "messagefilename": file, "messagesize": len(letter(uid)), "messageflags": flags,
                           "messagecreatetime": when, "messageuid": uid}))
    rows.append(insert("hm_imapfolders", folderid=90, folderaccountid=0, folderparentid=-1, foldername="Shared",
                       folderissubscribed=1, foldercreationtime="2020-01-01 00:00:00", foldercurrentuid=1))
    # On its way to somebody else, and in the folder that all share: none of an account's.
    rows.append(insert("hm_messages", **{**MESSAGE, "messagetype": 1, "messageaccountid": 0,
                       "messagefilename": "{99999999-0000-4000-8000-000000000009}.eml", "messagesize": 1,
                       "messageflags": 0, "messagecreatetime": "2026-01-01 00:00:00", "messageuid": 0}))
    return rows


def hmailserver(data):
    return "\n".join([make(HMAILSERVER), *hmailserver_objects(), *hmailserver_mail(data)])
