"""A certificate authority of the lab's own, and what it signs; all by the openssl command."""
import subprocess

GOOD, EXPIRED, STRANGER = "good", "expired", "stranger"


def openssl(*args, stdin=None):
    return subprocess.run(["openssl", *map(str, args)], input=stdin, check=True,
                          capture_output=True).stdout


class Authority:
    def __init__(self, folder, name="Lab CA"):
        self.folder, self.count = folder, 0
        folder.mkdir(parents=True, exist_ok=True)
        self.cert, self.key = folder / "ca.crt", folder / "ca.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-days", "30", "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.cert,
                "-addext", "basicConstraints=critical,CA:TRUE",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        self.stranger = None

    def issue(self, *hosts, kind=GOOD):
        """(certificate, key) files for these names; STRANGER: signed by somebody unknown."""
        if kind == STRANGER:
            self.stranger = self.stranger or Authority(self.folder / "stranger", "Somebody")
            return self.stranger.issue(*hosts)
        self.count += 1
        base = self.folder / f"{self.count}-{hosts[0]}"
        cert, key, extra = (base.with_name(base.name + end) for end in (".crt", ".key", ".ext"))
        request = openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                          "-nodes", "-subj", f"/CN={hosts[0]}", "-keyout", key)
        extra.write_text("subjectAltName=" + ",".join(f"DNS:{h}" for h in hosts) + "\n")
        openssl("x509", "-req", "-CA", self.cert, "-CAkey", self.key, "-set_serial", 1000 + self.count,
                "-days", "-1" if kind == EXPIRED else "30", "-extfile", extra, "-out", cert,
                stdin=request)
        key.chmod(0o600)
        return cert, key


def tlsa(cert):
    """"3 1 1 DIGEST" of a certificate file [RFC7672 3.1.1]."""
    public = openssl("x509", "-in", cert, "-noout", "-pubkey")
    der = openssl("pkey", "-pubin", "-outform", "DER", stdin=public)
    return "3 1 1 " + openssl("dgst", "-sha256", "-r", stdin=der).decode().split()[0]


WRONG_TLSA = "3 1 1 " + "00" * 32
