"""Secrets at rest."""

import pytest
from pytest_django import Settings

from accounts.encryption import UndecryptableError, decrypt, encrypt


def test_there_and_back() -> None:
    encrypted = encrypt("secret")
    assert "secret" not in encrypted
    assert decrypt(encrypted) == "secret"
    assert encrypt("secret") != encrypted


def test_an_explicit_key_takes_over_and_the_old_one_still_reads(settings: Settings) -> None:
    old = encrypt("secret")
    settings.API_SECRETS_KEY = "a key of its own"
    assert decrypt(old) == "secret"
    new = encrypt("secret")
    settings.SECRET_KEY = "another"
    assert decrypt(new) == "secret"
    with pytest.raises(UndecryptableError):
        decrypt(old)


def test_a_retired_secret_key_still_reads(settings: Settings) -> None:
    encrypted = encrypt("secret")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the next one"
    assert decrypt(encrypted) == "secret"


def test_tampered_with() -> None:
    encrypted = encrypt("secret")
    with pytest.raises(UndecryptableError):
        decrypt(encrypted[:-4] + "AAA=")
