"""The generated secrets: made by the project's own provider, kept in encrypted state, rotated by a changed trigger."""

from __future__ import annotations

import pulumi

from infra.metabase.resources import GeneratedKey
from infra.settings import RotationSettings


class Keys(pulumi.ComponentResource):
    """Session, assertion and broker keys, Metabase's own keys, and its administrator's password."""

    def __init__(
        self, rotation: RotationSettings, *, protect: bool, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mbgate:components:Keys", "keys", None, opts)
        """`protect` refuses to destroy what Metabase's data can't be used without."""
        child = pulumi.ResourceOptions(parent=self)
        kept = pulumi.ResourceOptions(parent=self, protect=protect)
        self.session = GeneratedKey("session-key", kind="aes256", trigger=rotation.session_key, opts=child)
        self.assertion = GeneratedKey("assertion-key", kind="es256", trigger=rotation.assertion_key, opts=child)
        self.broker = GeneratedKey("broker-key", kind="aes256", trigger=rotation.broker_key, opts=child)
        # Metabase needs the former password to take a new one, so this one is never rotated by a trigger.
        self.admin_password = GeneratedKey("admin-password", kind="password", trigger="1", opts=kept)
        # Metabase's own keys. What it stored under the first can't be read under another (Metabase: "Encrypting your
        # database connection"), so no trigger rotates it.
        self.encryption = GeneratedKey("encryption-key", kind="aes256", trigger="1", opts=kept)
        self.embedding = GeneratedKey("embedding-key", kind="hex256", trigger="1", opts=child)
        self.register_outputs({})
