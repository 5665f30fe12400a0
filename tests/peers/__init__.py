"""SMTP servers that do exactly what a script says, well or badly, and remember what they took."""
from .smtp import ALL, Fault, Message, Peer, server_tls  # noqa: F401
