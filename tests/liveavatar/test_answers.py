"""What LiveAvatar's answers are read as: samples that others wrote, and every form of error."""

import json
from typing import Any

import pytest

from liveavatar.answers import checked, data_of
from liveavatar.errors import LiveAvatarError
from liveavatar.records import Avatar, Page
from tests.liveavatar.samples import SAMPLES, Sample

pytestmark = pytest.mark.patient

VALIDATION = "Request validation errors. body: mode: Field required"


def answer(data: Any, code: int = 1000, message: str = "ok") -> bytes:
    """An envelope."""
    return json.dumps({"code": code, "data": data, "message": message}).encode()


@pytest.mark.parametrize("code", [1000, 100])
@pytest.mark.parametrize("sample", SAMPLES.values(), ids=list(SAMPLES))
def test_every_documented_answer_is_understood(sample: Sample, code: int) -> None:
    kind, data, understood = sample
    read = data_of(kind, 200, "OK", answer(data, code))
    assert {name: getattr(read, name) for name in understood} == understood


@pytest.mark.parametrize(
    ("status", "body", "code", "said"),
    [
        pytest.param(
            403,
            {"code": 4003, "data": None, "message": "Not authenticated"},
            4003,
            "Not authenticated (403): check LIVEAVATAR_API_KEY.",
            id="envelope",
        ),
        pytest.param(
            422,
            {"code": 4000, "data": None, "message": VALIDATION},
            4000,
            f"{VALIDATION} (422).",
            id="validation in the envelope",
        ),
        pytest.param(
            422,
            {
                "detail": [
                    {
                        "loc": ["body", "FULL", "avatar_id"],
                        "msg": "Field required",
                        "type": "missing",
                    }
                    | {"input": {"secret_value": "sk-very-secret"}}
                ]
            },
            None,
            "body.FULL.avatar_id: Field required (422).",
            id="FastAPI's list, without its input",
        ),
        pytest.param(
            401, {"detail": "No."}, None, "No (401): check LIVEAVATAR_API_KEY.", id="text"
        ),
        pytest.param(400, {"data": [{"message": "full"}]}, None, "full (400).", id="data[0]"),
        pytest.param(400, {"data": {"message": "full"}}, None, "full (400).", id="data"),
        pytest.param(500, {"error": "broken"}, None, "broken (500).", id="error"),
        pytest.param(502, "<html>", None, "Bad Gateway (502).", id="a proxy's page"),
        pytest.param(503, [1], None, "Bad Gateway (503).", id="an array"),
        pytest.param(
            200,
            {"code": 4009, "data": None, "message": "Session concurrency limit reached"},
            4009,
            "Session concurrency limit reached (200).",
            id="an error that calls itself a success",
        ),
        pytest.param(
            200, {"results": []}, None, "LiveAvatar answered without its envelope (200).", id="bare"
        ),
        pytest.param(
            200,
            {"code": 1000, "data": {"id": "a", "name": 1, "token": "eyJ.secret"}, "message": "ok"},
            1000,
            "LiveAvatar answered in a form that is not known: data.name: Input should be a valid"
            " string (200).",
            id="another form, which is not repeated",
        ),
        pytest.param(
            200,
            {"code": 1000, "data": None, "message": "ok"},
            1000,
            "LiveAvatar answered in a form that is not known: data: Input should be a valid"
            " dictionary or instance of Avatar (200).",
            id="nothing",
        ),
    ],
)
def test_every_form_of_error_is_a_sentence(
    status: int, body: Any, code: int | None, said: str
) -> None:
    with pytest.raises(LiveAvatarError) as refused:
        data_of(Avatar, status, "Bad Gateway", json.dumps(body).encode())
    assert (refused.value.status, refused.value.code) == (status, code)
    assert str(refused.value) == said


def test_a_success_may_be_silent() -> None:
    assert checked(204, "No Content", b"") == {}


def test_what_is_new_and_what_is_odd_costs_nothing_else() -> None:
    odd = {"id": "a", "name": "A", "status": "DREAMING", "created_at": "yesterday", "mood": {}}
    [avatar] = data_of(Page[Avatar], 200, "OK", answer({"results": [odd]})).results
    assert (avatar.status, avatar.created_at) == ("DREAMING", None)
