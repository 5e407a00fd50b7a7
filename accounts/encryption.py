"""Secrets that must be read again are encrypted at rest.

The key is derived (HKDF-SHA256) from `API_SECRETS_KEY` where it is set, else from `SECRET_KEY`.
Every other known key still decrypts, so that keys can be rotated: put the new one in front, run
`MultiFernet.rotate` over the rows, drop the old one.
"""

import base64
from functools import cache
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_PURPOSE: Final = b"exchange/api-key-secret/v1"


class UndecryptableError(Exception):
    """No known key reads this secret: `SECRET_KEY` or `API_SECRETS_KEY` has changed."""


def encrypt(plain: str) -> str:
    return _fernet(_keys()).encrypt(plain.encode()).decode("ascii")


def decrypt(encrypted: str) -> str:
    try:
        return _fernet(_keys()).decrypt(encrypted).decode()
    except InvalidToken:
        raise UndecryptableError from None


def _keys() -> tuple[str, ...]:
    explicit: str = settings.API_SECRETS_KEY
    fallbacks = [str(key) for key in settings.SECRET_KEY_FALLBACKS]
    return (*filter(None, [explicit]), settings.SECRET_KEY, *fallbacks)


@cache
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(_derive(key)) for key in keys])


def _derive(key: str) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(key.encode())
    return base64.urlsafe_b64encode(derived)
