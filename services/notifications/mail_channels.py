"""How an e-mail leaves: by SMTP to the operator's own server, or as a file for whoever sends it on."""

import asyncio
import smtplib
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit
from uuid import UUID

import aiosmtplib

TOTAL_SECONDS: Final = 15.0
_PORTS: Final = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class Mail:
    """One e-mail: the same id and text at every attempt, so that a mail system can see what came twice."""

    id: UUID
    recipient: str
    language: str
    subject: str
    text: str


class MailFailed(Exception):
    """The mail was not taken; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class MailChannel(Protocol):
    """A way out for e-mails."""

    async def send(self, mail: Mail) -> None:
        """Hand a mail over.

        Raises:
            MailFailed: It was not taken.
        """


def message_of(mail: Mail, sender: str) -> EmailMessage:
    """The mail as a message; its id makes the Message-ID, so that a repetition is known as one."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = mail.recipient
    message["Subject"] = mail.subject
    message["Message-ID"] = f"<{mail.id}@{sender.rpartition('@')[2]}>"
    message["Content-Language"] = mail.language
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text, charset="utf-8", cte="quoted-printable")
    return message


class FileMail:
    """Lays each mail as a file `<id>.eml` into a folder that only its owner reads, whole or not at all."""

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder = folder
        self._sender = sender

    async def send(self, mail: Mail) -> None:
        """Write the file; the same mail again replaces it.

        Raises:
            MailFailed: The folder cannot be written.
        """
        try:
            await asyncio.to_thread(self._write, f"{mail.id}.eml", message_of(mail, self._sender).as_bytes())
        except OSError as error:
            raise MailFailed("folder_not_writable") from error

    def _write(self, name: str, content: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self._folder / f"{name}.part"
        part.touch(mode=0o600)
        part.write_bytes(content)
        part.replace(self._folder / name)


class SmtpMail:
    """Hands mails to one SMTP server: `smtp://` with STARTTLS, `smtps://` with TLS from the start; in clear on loopback only."""

    def __init__(self, url: str, sender: str, *, seconds: float = TOTAL_SECONDS) -> None:
        """Read the address.

        Raises:
            ValueError: It is no SMTP address.
        """
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("the mail server must be smtp://host:port or smtps://host:port")
        self._host = parts.hostname
        self._port = parts.port or _PORTS[parts.scheme]
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._tls = parts.scheme == "smtps"
        self._start_tls = not self._tls and not _is_loopback(self._host)
        self._sender = sender
        self._seconds = seconds

    async def send(self, mail: Mail) -> None:
        """Hand a mail over.

        Raises:
            MailFailed: The server is away, is not whom it says, or does not take the mail.
        """
        try:
            async with asyncio.timeout(self._seconds):
                await aiosmtplib.send(
                    message_of(mail, self._sender),
                    sender=self._sender,
                    recipients=[mail.recipient],
                    hostname=self._host,
                    port=self._port,
                    username=self._user,
                    password=self._password,
                    use_tls=self._tls,
                    start_tls=self._start_tls,
                    timeout=self._seconds,
                )
        except TimeoutError as error:
            raise MailFailed("timeout") from error
        except aiosmtplib.SMTPAuthenticationError as error:
            raise MailFailed("login_failed") from error
        except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPResponseException) as error:
            raise MailFailed("refused") from error
        except (aiosmtplib.SMTPException, smtplib.SMTPException, OSError, ValueError) as error:
            raise MailFailed("not_reachable") from error


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
