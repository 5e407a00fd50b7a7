"""Every error of the API is a problem with a stable code."""

import msgspec
import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError, ProgrammingError
from django.http import Http404
from django.test import RequestFactory
from psycopg_pool import PoolTimeout
from rest_framework import exceptions

from engine.client import EngineOverloaded, EngineUnavailable, StatusUnknown
from engine.core.rejections import Code
from engine.submit import CommandRefused
from exchange_site.api import problems
from exchange_site.api.problems import PROBLEMS, ProblemError, exception_handler, problem_of
from exchange_site.database.remembered import DatabaseUnavailable
from exchange_site.errors import CodedError, FieldInvalid


@pytest.mark.parametrize("code", Code)
def test_the_engines_refusals_are_the_callers_matter(code: Code) -> None:
    assert 400 <= PROBLEMS[code.value].status < 500


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (FieldInvalid("price", "INVALID_DECIMAL", "bad"), 400, "INVALID_DECIMAL"),
        (CodedError("HISTORY_BEHIND"), 503, "HISTORY_BEHIND"),
        (CommandRefused(Code.INSUFFICIENT_BALANCE, "not enough"), 422, "INSUFFICIENT_BALANCE"),
        (EngineOverloaded("full"), 503, "ENGINE_OVERLOADED"),
        (EngineUnavailable(), 503, "ENGINE_UNAVAILABLE"),
        (DatabaseUnavailable(), 503, "DATABASE_UNAVAILABLE"),
        (OperationalError("gone"), 503, "DATABASE_UNAVAILABLE"),
        (PoolTimeout("none is free"), 503, "DATABASE_UNAVAILABLE"),
        (StatusUnknown(), 504, "STATUS_UNKNOWN"),
        (exceptions.NotAuthenticated(), 401, "NOT_AUTHENTICATED"),
        (exceptions.PermissionDenied("CSRF Failed: x"), 403, "CSRF_FAILED"),
        (exceptions.PermissionDenied(), 403, "PERMISSION_DENIED"),
        (exceptions.MethodNotAllowed("PUT"), 405, "METHOD_NOT_ALLOWED"),
        (exceptions.UnsupportedMediaType("text/plain"), 415, "UNSUPPORTED_MEDIA_TYPE"),
        (exceptions.Throttled(wait=2.6), 429, "RATE_LIMITED"),
        (exceptions.ParseError(), 400, "BAD_REQUEST"),
        (Http404(), 404, "NOT_FOUND"),
        (PermissionDenied(), 403, "PERMISSION_DENIED"),
        (SuspiciousOperation(), 400, "BAD_REQUEST"),
    ],
)
def test_errors_become_problems(error: Exception, status: int, code: str) -> None:
    response = exception_handler(error, {})
    assert response is not None
    assert (response.status_code, response.data.code) == (status, code)
    assert response.content_type == "application/problem+json"
    assert ("Retry-After" in response) == (status in {429, 503})
    assert ("WWW-Authenticate" in response) == (status == 401)


def test_the_unexpected_is_left_to_django() -> None:
    for error in (RuntimeError(), ProgrammingError("no such column")):
        assert exception_handler(error, {}) is None


def test_what_a_problem_says() -> None:
    error = FieldInvalid("price", "INVALID_DECIMAL", "must be a plain decimal number")
    response = exception_handler(error, {})
    assert response is not None
    assert msgspec.to_builtins(response.data) == {
        "type": "/docs/problems#INVALID_DECIMAL",
        "title": "An amount is no plain decimal string",
        "status": 400,
        "detail": "must be a plain decimal number",
        "code": "INVALID_DECIMAL",
        "field": "price",
    }


def test_an_unknown_outcome_names_the_id_to_ask_by() -> None:
    error = ProblemError("STATUS_UNKNOWN", client_order_id="mine")
    assert error.problem.client_order_id == "mine"
    assert problem_of("STATUS_UNKNOWN").status == 504


@pytest.mark.parametrize(
    ("view", "status"),
    [
        (problems.bad_request, 400),
        (problems.permission_denied, 403),
        (problems.not_found, 404),
        (problems.server_error, 500),
    ],
)
def test_djangos_own_errors_below_api(view: problems._Page, status: int) -> None:
    response = view(RequestFactory().get("/api/v1/nowhere"))
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
