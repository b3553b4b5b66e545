"""Serves the two pages, and gives each visitor a session: the key stays here.

uv run python examples/web-sdk/server.py
"""

import argparse
import uuid
from pathlib import Path

import aiohttp
from aiohttp import web

from liveavatar import LiveAvatar, LiveAvatarError
from liveavatar.wire import (
    AvatarPersona,
    ElevenLabsConfig,
    FullRequest,
    LiteRequest,
    Quality,
    VideoSettings,
)
from pipelines.settings import load_settings

HERE = Path(__file__).parent
SDK = HERE / "node_modules" / "@heygen" / "liveavatar-web-sdk" / "dist"
EVENTS = HERE / "node_modules" / "events" / "events.js"
# The SDK's one dependency is no module of browsers.
WRAPPED = (
    "const module = { exports: {} };\n{\n%s\n}\nexport const { EventEmitter } = module.exports;\n"
)
NAME, OPENING = "Web SDK example", "Hello! Hold the button and ask me."
PROMPT = "You are at the door of a shop. The shop is open from nine to five."
SETTINGS = load_settings()
AVATAR = uuid.UUID(SETTINGS.liveavatar_avatar_id or "dd73ea75-1218-4ef3-92ce-606d5f7fbc0a")


async def wish(
    live: LiveAvatar, options: argparse.Namespace, page: str
) -> FullRequest | LiteRequest:
    """What a page's session is: push-to-talk in FULL, or an agent of ElevenLabs."""
    free = SETTINGS.liveavatar_sandbox
    video = VideoSettings(quality=Quality(SETTINGS.liveavatar_quality))
    if page == "elevenlabs":
        agent = ElevenLabsConfig(secret_id=options.secret, agent_id=options.agent)
        return LiteRequest(
            mode="LITE",
            avatar_id=AVATAR,
            is_sandbox=free,
            video_settings=video,
            elevenlabs_agent_config=agent,
        )
    contexts = {each.name: each.id for each in await live.contexts.all()}
    context = contexts.get(NAME) or await live.contexts.add(NAME, PROMPT, OPENING)
    return FullRequest(
        mode="FULL",
        avatar_id=AVATAR,
        is_sandbox=free,
        video_settings=video,
        avatar_persona=AvatarPersona(context_id=context),
        interactivity_type="PUSH_TO_TALK",
    )


async def session(request: web.Request) -> web.Response:
    """A session for a visitor: to whom this is given is yours to decide."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise web.HTTPForbidden(text="Only the pages of this server may begin a session.")
    async with aiohttp.ClientSession() as http:
        key = SETTINGS.liveavatar_api_key.get_secret_value()
        live = LiveAvatar(http, key, SETTINGS.liveavatar_base_url)
        try:
            made = await live.sessions.token(
                await wish(live, request.app[OPTIONS], request.match_info["page"])
            )
        except LiveAvatarError as error:
            raise web.HTTPBadGateway(text=str(error)) from None
    answer = {"token": made.session_token, "apiUrl": SETTINGS.liveavatar_base_url}
    return web.json_response(answer, headers={"Cache-Control": "no-store"})


async def events(_: web.Request) -> web.Response:
    """The SDK's dependency."""
    return web.Response(text=WRAPPED % EVENTS.read_text(), content_type="text/javascript")


async def page(request: web.Request) -> web.FileResponse:
    """One of the two."""
    return web.FileResponse(HERE / f"{request.match_info.get('page', 'talk')}.html")


OPTIONS = web.AppKey("options", argparse.Namespace)

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--secret", default="", help="id of the secret with ElevenLabs' key")
    parser.add_argument("--agent", default="", help="id of the agent at ElevenLabs")
    app = web.Application()
    app[OPTIONS] = parser.parse_args()
    pages = "{page:talk|elevenlabs}"
    app.add_routes([web.get("/", page), web.get(f"/{pages}", page), web.get("/events.js", events)])
    app.add_routes([web.post(f"/session/{pages}", session), web.static("/sdk", SDK)])
    web.run_app(app, host="localhost", port=app[OPTIONS].port, access_log=None)
