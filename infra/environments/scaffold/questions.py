"""What a new deployment must be told: each question with its purpose, its form and an example."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from infra.settings import SECTIONS
from infra.settings.sections import camel

LOOPBACK = ("127.0.0.1", "localhost")
TEAM_DOMAIN = ".cloudflareaccess.com"
TEAM = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question, the field of the settings that its answer fills, and how an answer is read."""

    key: str
    section: str
    field: str
    title: str
    purpose: str
    form: str
    example: str
    read: Callable[[str], str] = str.strip
    choices: tuple[str, ...] = ()
    default: str | None = None

    @property
    def flag(self) -> str:
        """The option that answers it."""
        return "--" + self.key.replace("_", "-")

    @property
    def alias(self) -> str:
        """The field's key in the file."""
        return camel(self.field)

    def accept(self, text: str) -> str:
        """The answer in the settings' form. Raises ValueError with words for a person."""
        problem = f"`{text.strip()[:80]}` is not {self.form}, as {self.example}"
        if not text.isprintable():
            raise ValueError(f"the answer holds characters that can't be printed; give {self.form}, as {self.example}")
        try:
            value = self.read(text)
            _adapter(self).validate_python(value)
            # What a terminal passes on undecoded can't be written into a file.
            value.encode("utf-8")
        except (ValidationError, UnicodeEncodeError):
            raise ValueError(problem) from None
        except ValueError as error:
            raise ValueError(f"{problem}{f': {error}' if str(error) else ''}") from None
        return value


def _adapter(question: Question) -> TypeAdapter[Any]:
    """The field's own rule."""
    info = SECTIONS[question.section].model_fields[question.field]
    # The rule alone: the field's alias means nothing outside of its section.
    kind: Any = info.annotation
    return TypeAdapter(Annotated[kind, *info.metadata] if info.metadata else kind)


def _lower(text: str) -> str:
    return text.strip().lower()


def _hostname(text: str) -> str:
    """A hostname, also out of a URL that somebody copied; one label is no public name."""
    value = _lower(text)
    if "://" in value:
        parts = urlsplit(value)
        if parts.path not in ("", "/") or parts.query:
            raise ValueError("only the hostname")
        value = parts.netloc
    if "." not in value.strip("."):
        raise ValueError("it needs a domain")
    return value.rstrip(".")


def _issuer(text: str) -> str:
    """An issuer is compared letter by letter, so nothing of it is changed."""
    value = text.strip()
    parts = urlsplit(value)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise ValueError("it must be https")
    return value


def _team(text: str) -> str:
    """`acme`, `acme.cloudflareaccess.com` or the URL."""
    value = _lower(text).removeprefix("https://").rstrip("/").removesuffix(TEAM_DOMAIN)
    if not TEAM.fullmatch(value):
        raise ValueError
    return f"https://{value}{TEAM_DOMAIN}"


QUESTIONS: tuple[Question, ...] = (
    Question(
        key="account_id",
        section="cloudflare",
        field="account_id",
        title="Cloudflare account id",
        purpose="where Workers, Tunnel and Access are made; the zone's overview page in the dashboard shows it",
        form="32 hexadecimal digits",
        example="023e105f4ecef8ad9ca31a8372d0c353",
        read=_lower,
    ),
    Question(
        key="zone_id",
        section="cloudflare",
        field="zone_id",
        title="Cloudflare zone id",
        purpose="the domain that holds the hostnames below; on the same page",
        form="32 hexadecimal digits",
        example="372e67954025e0ba6aaa6d586b9e0b59",
        read=_lower,
    ),
    Question(
        key="hostname",
        section="gateway",
        field="hostname",
        title="Hostname",
        purpose="what people open; it lies in the zone, and nothing else may serve it",
        form="a hostname",
        example="bi.acme.com",
        read=_hostname,
    ),
    Question(
        key="identity",
        section="identity",
        field="mode",
        title="Who signs people in",
        purpose="oidc: the Worker itself; access: Cloudflare Access in front of the Worker",
        form="oidc or access",
        example="oidc",
        read=_lower,
        choices=("oidc", "access"),
        default="oidc",
    ),
    Question(
        key="issuer",
        section="identity",
        field="issuer",
        title="Issuer of the OpenID provider",
        purpose="exactly as the provider spells it, with or without a slash at the end",
        form="an https URL",
        example="https://login.acme.com/realms/staff",
        read=_issuer,
    ),
    Question(
        key="client_id",
        section="identity",
        field="client_id",
        title="Client id",
        purpose="the client that you registered at the provider for this deployment; its secret is never asked here",
        form="the provider's client id",
        example="mbgate-prod",
    ),
    Question(
        key="team_domain",
        section="cloudflare",
        field="team_url",
        title="Zero Trust team",
        purpose="Access guards the way by which the deployment reaches Metabase; Zero Trust > Settings shows the name",
        form="a team domain",
        example="acme.cloudflareaccess.com",
        read=_team,
    ),
    Question(
        key="admin_hostname",
        section="metabase",
        field="admin_hostname",
        title="Admin hostname",
        purpose="by which the deployment alone reaches Metabase, through the Tunnel; in the zone, and of no other use",
        form="a hostname",
        example="bi-admin.acme.com",
        read=_hostname,
    ),
    Question(
        key="runtime",
        section="metabase",
        field="runtime",
        title="Where Metabase runs",
        purpose="docker: in a container that this stack makes; external: it runs already, with cloudflared beside it",
        form="docker or external",
        example="docker",
        read=_lower,
        choices=("docker", "external"),
        default="docker",
    ),
    Question(
        key="brand",
        section="brand",
        field="name",
        title="Brand",
        purpose="the name on the gateway's own pages",
        form="a name of 1 to 60 characters",
        example="Acme BI",
        default=str(SECTIONS["brand"].model_fields["name"].default),
    ),
)
BY_KEY = {question.key: question for question in QUESTIONS}


def suggest(question: Question, answers: Mapping[str, str]) -> str | None:
    """A default made of earlier answers, for a person to take or to change."""
    hostname = answers.get("hostname")
    if question.key == "admin_hostname" and hostname:
        head, _, rest = hostname.partition(".")
        return f"{head}-admin.{rest}"
    return question.default


def conflict(answers: Mapping[str, str]) -> str | None:
    """What is wrong between answers, naming the flag; None where nothing is."""
    hostname = answers.get("hostname")
    if hostname is not None and hostname == answers.get("admin_hostname"):
        return f"{BY_KEY['admin_hostname'].flag} must differ from {BY_KEY['hostname'].flag}: each has another purpose"
    return None
