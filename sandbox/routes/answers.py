"""Envelopes, pages, and how errors are documented."""

from typing import Any, TypeVar

from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.datastructures import URL

from liveavatar.wire import Envelope

T = TypeVar("T")
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": Envelope[None], "description": description}
    for status, description in {
        400: "It cannot be done",
        401: "Wrong or missing API key",
        402: "Insufficient credits",
        403: "Not authenticated",
        404: "No such thing",
        409: "Session concurrency limit reached",
        422: "Malformed request",
        500: "The avatar could not join the room",
    }.items()
}


class Page(BaseModel):
    """One page of a longer list."""

    count: int
    next: str | None
    previous: str | None
    results: list[dict[str, Any]]


def ok(data: T = None) -> Envelope[T]:
    """A success."""
    return Envelope(data=data)


def refused(status: int, code: int, message: str) -> JSONResponse:
    """An error."""
    body = Envelope[None](code=code, message=message)
    return JSONResponse(body.model_dump(), status_code=status)


def page_of(records: list[dict[str, Any]], page: int, page_size: int, url: URL) -> Page:
    """A page of records; pages count from 1."""
    begin = (page - 1) * page_size

    def address(number: int) -> str:
        return str(url.include_query_params(page=number, page_size=page_size))

    return Page(
        count=len(records),
        next=address(page + 1) if begin + page_size < len(records) else None,
        previous=address(page - 1) if page > 1 else None,
        results=records[begin : begin + page_size],
    )
