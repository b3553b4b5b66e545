"""`avatar account`: what is stored at LiveAvatar is listed, added and deleted."""

import asyncio
import contextlib
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from bots.account.command import do
from pipelines.errors import AvatarError, PartFailed, UserError
from pipelines.settings import Settings, load_settings
from tests.bots.test_cli import avatar
from tests.sandbox.caller import WAYNE, Caller
from tests.sandbox.conftest import caller, clock

__all__ = ["caller", "clock"]

VALUE = "sk-very-secret-value"
Account = Callable[..., Awaitable[Any]]


@pytest.fixture
def settings(caller: Caller) -> Settings:
    """What leads the command to the sandbox."""
    return load_settings(liveavatar_api_key=caller.key["X-API-KEY"], liveavatar_base_url=caller.url)


@pytest.fixture
def account(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Account:
    """Does `avatar account` with something on standard input; what it prints, parsed if JSON."""

    async def run(*words: str, given: str = "", **more: str) -> Any:
        monkeypatch.setattr("sys.stdin", io.StringIO(given))
        told = await do(settings.model_copy(update=load(more)), words)
        assert VALUE not in told
        return json.loads(told) if "--json" in words or "show" in words else told

    return run


def load(more: dict[str, str]) -> dict[str, object]:
    """Settings with these values alone."""
    given = load_settings(**more)
    return {name: getattr(given, name) for name in more}


@contextlib.contextmanager
def refused(said: str, kind: type[AvatarError] = UserError):
    """An error in a sentence, which repeats no secret."""
    with pytest.raises(kind, match=said) as error:
        yield
    assert VALUE not in str(error.value)


async def test_without_more_words_it_tells_what_there_is(account: Account) -> None:
    told = await account()
    assert told.startswith("1000.00 credits are left. There are 4 avatars, 0 voices, 0 contexts,")
    assert (await account("--json"))["credits_left"] == "1000.00"


async def test_avatars_and_voices_are_told_apart_by_whose_they_are(account: Account) -> None:
    lines = (await account("avatars")).splitlines()
    [wayne] = [line for line in lines if line.startswith(WAYNE)]
    assert "everybody's, video, voice " in wayne
    assert {row["public"] for row in await account("avatars", "--public", "--json")} == {True}
    assert await account("voices", "--own") == "There is no voice."
    assert all(row["public"] for row in await account("voices", "--json"))


async def test_a_context_is_added_listed_shown_and_deleted(account: Account) -> None:
    words = ("contexts", "add", "--name", "Guide\x1b[2J", "--opening", "Hello ${name}")
    made = await account(*words, "--prompt-file", "-", "--json", given="You guide ${name}.\n")
    shown = await account("contexts", "show", made["id"])
    assert (shown["prompt"], shown["opening_text"]) == ("You guide ${name}.\n", "Hello ${name}")
    assert shown["required_dynamic_variables"] == ["name"]
    row = await account("contexts")
    assert row.startswith(f"{made['id']}  Guide\N{REPLACEMENT CHARACTER}[2J  changed 2027-")
    with refused("is taken.*: see `avatar account contexts --help`"):
        await account(*words, "--prompt", "p")
    told = await account("contexts", "delete", made["id"])
    assert told.startswith("The context 'Guide") and f"({made['id']}) is deleted." in told
    assert await account("contexts") == "There is no context."


async def test_a_secret_in_use_is_not_deleted_without_force(account: Account) -> None:
    words = ("--name", "mine", "--type", "LLM_API_KEY", "--json")
    secret = (await account("secrets", "add", *words, given=f"{VALUE}\n"))["id"]
    llm = await account("llms", "add", "--model", "gpt", "--secret", secret, "--json")
    assert f"secret {secret}" in await account("llms")
    with refused(f"used by LLM configuration {llm['id']}: delete that first, or give --force"):
        await account("secrets", "delete", secret)
    told = await account("secrets", "delete", secret, "--force", "--json")
    assert told == {"kind": "secret", "id": secret, "name": "mine", "deleted": True}
    assert await account("llms", "delete", llm["id"])
    assert await account("secrets", "--json") == await account("llms", "--json") == []


async def test_a_value_comes_from_a_setting_or_standard_input(
    account: Account, caller: Caller
) -> None:
    words = ("secrets", "add", "--name", "mine", "--type", "GEMINI_API_KEY")
    await account(*words, given=f"{VALUE}\n", google_api_key="not this")
    await account(*words, "--setting", google_api_key=VALUE)
    kept = [secret["secret_value"] for secret in caller.desk.shelves.secrets.all()]
    assert kept == [VALUE, VALUE]
    with refused("--setting needs GOOGLE_API_KEY: set it in .env"):
        await account(*words, "--setting", given=VALUE)
    with refused("No setting holds a secret of type LLM_API_KEY"):
        await account(*words[:-1], "LLM_API_KEY", "--setting", given=VALUE)
    for given in ("", "\n", f"{VALUE}\n{VALUE}"):
        with refused("is not given: give it on standard input, as one line of text"):
            await account(*words, given=given)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--value", VALUE], "stands in the history of your shell: take it out of there"),
        ([VALUE], "does not know a word of these: see `avatar account secrets add --help`"),
        ([f"--secret={VALUE}"], "does not know --secret of these"),
        (["--type", VALUE], "--type is no type of secret: choose one of OPENAI_API_KEY, "),
    ],
)
async def test_a_value_on_the_command_line_is_refused_and_not_repeated(
    account: Account, caller: Caller, words: list[str], said: str
) -> None:
    with refused(said):
        await account("secrets", "add", "--name", "a", "--type", "LLM_API_KEY", *words, given="v")
    assert not caller.desk.shelves.secrets.all()


@pytest.mark.parametrize("words", [["secrets", VALUE], ["secrets", "add", f"--setting={VALUE}"]])
async def test_what_is_not_understood_is_not_repeated(
    account: Account, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    with pytest.raises(SystemExit):
        await account(*words)
    told = capsys.readouterr()
    assert "•••" in told.err and VALUE not in told.err + told.out


async def test_a_voice_is_imported_and_can_be_used_at_once(
    account: Account, caller: Caller
) -> None:
    words = ("voices", "import", "--elevenlabs", "abc")
    told = await account(*words, "--name", "Ann", elevenlabs_api_key=VALUE)
    [secret] = await account("secrets", "--json")
    [ann] = await account("voices", "--own", "--json")
    assert (secret["secret_type"], ann["name"]) == ("ELEVENLABS_API_KEY", "Ann")
    assert f'"avatar_persona": {{"voice_id": "{ann["id"]}"}}' in told
    made = await account(*words, "--secret", secret["id"], "--json")
    assert (made["secret_id"], made["provider_voice_id"]) == (secret["id"], "abc")
    await account("voices", "import", "--cartesia", "def", given=VALUE)
    kept = caller.desk.shelves.secrets.all()
    assert [each["secret_type"] for each in kept] == ["ELEVENLABS_API_KEY", "CARTESIA_API_KEY"]
    assert {each["secret_value"] for each in kept} == {VALUE}
    assert len(await account("voices", "--own", "--json")) == 3


async def test_an_import_that_is_refused_leaves_no_secret_behind(
    account: Account, caller: Caller
) -> None:
    await caller.order("POST /v1/voices/third_party:answer status=400 message=no times=1")
    with refused("LiveAvatar refused: no"):
        await account("voices", "import", "--elevenlabs", "abc", given=VALUE)
    assert not caller.desk.shelves.secrets.all()
    for fault in ("POST /v1/voices/third_party", "DELETE /v1/secrets/*"):
        await caller.order(f"{fault}:answer status=500 times=1")
    with refused("is left there: run `avatar account secrets delete"):
        await account("voices", "import", "--elevenlabs", "abc", given=VALUE)
    assert len(caller.desk.shelves.secrets.all()) == 1


@pytest.mark.parametrize("kind", ["avatars", "voices", "contexts", "llms", "secrets"])
@pytest.mark.parametrize("id", ["nobody", "", "../secrets"])
async def test_an_unknown_id_says_how_to_list(account: Account, kind: str, id: str) -> None:
    for verb in ("show", "delete"):
        with refused(f"There is no .* here: see `avatar account {kind}`"):
            await account(kind, verb, id)


async def test_what_cannot_be_says_what_to_do(
    account: Account, caller: Caller, settings: Settings
) -> None:
    with refused("no call that makes an avatar: make it on app.liveavatar.com"):
        await account("avatars", "add")
    with refused("--prompt-file /nowhere cannot be read"):
        await account("contexts", "add", "--name", "a", "--prompt-file", "/nowhere")
    with refused("Secret not found.*: see `avatar account llms --help`"):
        await account("llms", "add", "--model", "gpt", "--secret", "none")
    with refused("LiveAvatar refused the key: .*401.*: check LIVEAVATAR_API_KEY"):
        await account("llms", liveavatar_api_key="wrong")
    with refused("check LIVEAVATAR_BASE_URL", PartFailed):
        await account("llms", liveavatar_base_url="http://127.0.0.1:9")
    with refused("without its envelope .200.: check LIVEAVATAR_BASE_URL"):
        await account("llms", liveavatar_base_url=f"{caller.url}/openapi.json?")
    await caller.order("GET /v1/llm-configurations:answer status=500 message=broken times=1")
    with refused("LiveAvatar failed: broken .500.; try again later", PartFailed):
        await account("llms")
    with refused("avatar account needs LIVEAVATAR_API_KEY: set it in .env"):
        await do(load_settings(), ["voices"])


@pytest.fixture
async def command(caller: Caller) -> AsyncIterator[Callable[..., Awaitable[tuple[int, str, str]]]]:
    """Runs the real command, pointed at the sandbox."""

    async def run(*words: str, **env: str) -> tuple[int, str, str]:
        where = {"LIVEAVATAR_BASE_URL": caller.url, "LIVEAVATAR_API_KEY": caller.key["X-API-KEY"]}
        return await asyncio.to_thread(avatar, "account", *words, **(where | env))

    yield run


async def test_the_command_ends_as_the_others_do(command) -> None:
    words = ("voices", "import", "--elevenlabs", "abc", "--json")
    done, unknown, broken = await asyncio.gather(
        command(*words, ELEVENLABS_API_KEY=VALUE),
        command("voices", "delete", "nobody"),
        command("voices", LIVEAVATAR_BASE_URL="http://127.0.0.1:9"),
    )
    assert done[0] == 0 and json.loads(done[1])["provider_voice_id"] == "abc"
    assert unknown == (
        2,
        "",
        "avatar: There is no voice 'nobody' here: see `avatar account voices`.\n",
    )
    assert broken[0] == 1 and "does not answer" in broken[2]
    assert not [out for out in (done, unknown, broken) if VALUE in str(out)]
