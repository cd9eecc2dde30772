"""What a process needs to know to talk to Kafka, read once from HEADRACE_* variables.

A wrong value stops the process at boot with the variable and the value in the message.
"""

import re
import ssl
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from events.errors import InvalidSettings

PREFIX = "HEADRACE_"
TOPIC_CHARACTERS = re.compile(r"[A-Za-z0-9._-]{1,100}")


def _addresses(value: str) -> str:
    for address in value.split(","):
        host, _, port = address.strip().rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ValueError("wanted host:port, or several separated by commas")
    return value


def _app_id(value: str) -> str:
    if not TOPIC_CHARACTERS.fullmatch(value):
        raise ValueError("it begins topic names: 1 to 100 of letters, digits, '.', '_' and '-'")
    return value


class HeadraceSettings(BaseSettings):
    """Frozen settings from the environment. Raises InvalidSettings."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise InvalidSettings(_explain(error, self.model_config["env_prefix"])) from None


class ClientSettings(HeadraceSettings):
    """Where Kafka is, who we are there, and the names our topics begin with."""

    bootstrap_servers: Annotated[str, AfterValidator(_addresses)] = "localhost:9092"
    app_id: Annotated[str, AfterValidator(_app_id)] = "headrace"
    release: str = "0"
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    ssl_cafile: str | None = None
    ssl_certfile: str | None = None
    ssl_keyfile: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.security_protocol.startswith("SASL") and not (self.sasl_username and self.sasl_password):
            raise ValueError(
                f"{PREFIX}SECURITY_PROTOCOL={self.security_protocol} needs "
                f"{PREFIX}SASL_USERNAME and {PREFIX}SASL_PASSWORD"
            )
        return self

    def kafka_arguments(self) -> dict[str, Any]:
        """The security part of any aiokafka client's arguments; empty for PLAINTEXT.

        Reads the certificate files. Raises InvalidSettings when one cannot be read.
        """
        if self.security_protocol == "PLAINTEXT":
            return {}
        arguments: dict[str, Any] = {"security_protocol": self.security_protocol}
        if self.security_protocol.endswith("SSL"):
            arguments["ssl_context"] = self._ssl_context()
        if self.security_protocol.startswith("SASL") and self.sasl_password:
            arguments["sasl_mechanism"] = self.sasl_mechanism
            arguments["sasl_plain_username"] = self.sasl_username
            arguments["sasl_plain_password"] = self.sasl_password.get_secret_value()
        return arguments

    def _ssl_context(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.ssl_cafile)
            if self.ssl_certfile:
                context.load_cert_chain(self.ssl_certfile, self.ssl_keyfile)
        except OSError as error:
            files = ", ".join(
                f"{PREFIX}{name.upper()}={value}"
                for name in ("ssl_cafile", "ssl_certfile", "ssl_keyfile")
                if (value := getattr(self, name))
            )
            raise InvalidSettings(f"{files}: not usable as PEM ({error})") from error
        return context


def _explain(error: ValidationError, prefix: str) -> str:
    lines = []
    for problem in error.errors(include_url=False):
        reason = problem["msg"].removeprefix("Value error, ")
        name = "_".join(str(part) for part in problem["loc"])
        if not name:
            lines.append(reason)
            continue
        shown = "(hidden)" if "password" in name else repr(problem["input"])
        variable = name.upper() if name.startswith(prefix.lower()) else prefix + name.upper()
        lines.append(f"{variable}={shown}: {reason}")
    return "\n".join(lines)
