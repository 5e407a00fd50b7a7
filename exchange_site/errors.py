"""Errors that services raise whoever calls them: an API view, an admin form, or a command."""


class CodedError(Exception):
    """What cannot be done, and why. `code` is stable: see `exchange_site/api/problems.py`."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        field: str | None = None,
        client_order_id: str | None = None,
    ) -> None:
        super().__init__(f"{field}: {detail}" if field else detail or code)
        self.code = code
        self.detail = detail
        self.field = field
        self.client_order_id = client_order_id


class FieldInvalid(CodedError):
    """One field cannot be accepted."""

    def __init__(self, field: str, code: str, detail: str) -> None:
        super().__init__(code, detail, field=field)
