"""What does an address tell by itself: is it well formed, is it a person's, may its domain be looked up at all?"""

from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ROLES = _words(
    """
    abuse accounting accounts admin administrator billing careers contact enquiries feedback finance ftp hello help
    helpdesk hostmaster hr info inquiries it jobs legal mail marketing media news newsletter no-reply noc noreply office
    orders postmaster press privacy root sales security service support sysadmin team usenet webmaster www
    """
)
"""Mailboxes that a group or nobody reads: those of RFC 2142 and the usual others."""

DISPOSABLE = _words(
    """
    10minutemail.com 10minutemail.net 20minutemail.com burnermail.io discard.email dispostable.com emailondeck.com
    fakeinbox.com getairmail.com getnada.com grr.la guerrillamail.biz guerrillamail.com guerrillamail.de
    guerrillamail.info guerrillamail.net guerrillamail.org guerrillamailblock.com harakirimail.com inboxbear.com
    inboxkitten.com incognitomail.org jetable.org mailcatch.com maildrop.cc mailexpire.com mailinator.com mailinator.net
    mailnesia.com mailnull.com mailsac.com mintemail.com moakt.com mohmal.com mytemp.email mytrashmail.com nada.email
    sharklasers.com spam4.me spamgourmet.com spamspot.com temp-mail.io temp-mail.org tempail.com tempinbox.com
    tempmail.com tempmail.net tempmailo.com throwawaymail.com trash-mail.com trashmail.com trashmail.de trashmail.net
    yopmail.com yopmail.fr yopmail.net
    """
)
"""Domains that give a mailbox to anybody for minutes."""

FREE = _words(
    """
    aol.com gmail.com gmx.com gmx.de gmx.net googlemail.com hotmail.com icloud.com live.com mail.com me.com msn.com
    outlook.com proton.me protonmail.com web.de yahoo.com yahoo.co.uk yandex.com zoho.com
    """
)
"""Domains where private people have their mail."""

RESERVED_TOP = frozenset({"example", "test"})
RESERVED = frozenset({"example.com", "example.net", "example.org"})
"""Names that no mail server will ever have (RFC 2606, RFC 6761): for examples and tests, so nobody is asked for them.
``.invalid`` and ``.localhost`` are refused already with the syntax."""


@dataclass(frozen=True, slots=True)
class EmailAddress:
    """An address that is well formed; ``domain`` is ASCII (IDNA) and lower case, ``unicode`` a local part that is not.

    ``role``: a group's mailbox; ``disposable``: thrown away soon; ``free``: of a free mail service; ``reserved``: of a
    domain kept for examples.
    """

    local: str
    domain: str
    unicode: bool

    @property
    def email(self) -> str:
        """The whole address."""
        return f"{self.local}@{self.domain}"

    @property
    def role(self) -> bool:
        """Whether a group or nobody reads it, whatever follows a plus sign."""
        return self.local.lower().partition("+")[0] in ROLES

    @property
    def disposable(self) -> bool:
        """Whether its domain gives mailboxes away for minutes."""
        return _under(self.domain, DISPOSABLE)

    @property
    def free(self) -> bool:
        """Whether its domain is a free mail service."""
        return self.domain in FREE

    @property
    def reserved(self) -> bool:
        """Whether its domain is kept for examples."""
        return self.domain.rpartition(".")[2] in RESERVED_TOP or _under(self.domain, RESERVED)


def parse(text: str) -> EmailAddress | None:
    """The address a text is, None if it is not well formed.

    Well formed as RFC 5321 and RFC 5322 are practised: a bare address, no quoted local part, no address literal, at
    most 64 octets before the at sign, a domain with a dot that is not special (``.local``, ``.invalid`` ...).
    """
    try:
        found = validate_email(text, check_deliverability=False, test_environment=True, strict=True)
    except EmailNotValidError:
        return None
    return EmailAddress(found.local_part, found.ascii_domain.lower(), found.smtputf8)


def _under(domain: str, known: frozenset[str]) -> bool:
    """Whether a domain, or one above it, is known."""
    labels = domain.split(".")
    return any(".".join(labels[place:]) in known for place in range(len(labels) - 1))
