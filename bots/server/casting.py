"""Who takes part in a conversation: chosen once, when it is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bots.server.passes import Pass
from pipelines.errors import Incompatible, NotOffered
from pipelines.offer import offered_personas, persona_asked, with_face
from pipelines.parts import HEADLESS, Choice, Lineup, Part, choose
from pipelines.persona import Persona
from pipelines.settings import Settings
from pipelines.text import one_line

if TYPE_CHECKING:
    from pipecat.runner.types import RunnerArguments

    from pipelines.conversation import Request

# Of a variable that a visitor fills, in characters.
LONGEST_VALUE = 200


@dataclass(frozen=True)
class Cast:
    """Who takes part in one conversation."""

    settings: Settings
    lineup: Lineup
    persona: Persona
    persona_id: str = ""

    def request(self, arguments: "RunnerArguments") -> "Request":
        """The conversation of these, with whom the arguments lead to."""
        from pipelines.conversation import Request  # and Pipecat, which no page waits for

        return Request(self.settings, self.lineup, self.persona, arguments)


@dataclass(frozen=True)
class Casting:
    """What casts are chosen from: the settings, and the persona's variables that are given."""

    settings: Settings
    given: Mapping[str, str] = field(default_factory=dict)

    def cast(self, meeting: Part, body: object, visit: Pass | None = None) -> Cast:
        """Who takes part in a conversation at this place, as the body of /start asks.

        A visitor's pass may name the only persona there is, and fill variables that no visitor may.

        Raises:
            UserError: no such line-up can be had, or what is asked for is not offered.
        """
        asked = body if isinstance(body, dict) else {}
        lineup = lineup_for(self.settings, meeting)
        settings = narrowed(self.settings, lineup, visit)
        given = {**(visit.variables if visit else {}), **self.given}
        persona = persona_for(settings, lineup, asked, given)
        id = asked.get("persona") or next(iter(offered_personas(settings, lineup)))
        return Cast(settings, lineup, persona, id)


def lineup_for(settings: Settings, meeting: Part) -> Lineup:
    """The line-up for the place where this user is met.

    Raises:
        UserError: no such line-up can be had.
    """
    if meeting is HEADLESS:
        lineup = dict(choose(settings.model_copy(update={"transport": "webrtc"})))
        return {**lineup, "transport": Choice(HEADLESS, "the eval harness connected")}
    return choose(settings.model_copy(update={"transport": meeting.value}))


def narrowed(settings: Settings, lineup: Lineup, visit: Pass | None) -> Settings:
    """The settings, with the persona of a visitor's pass as the only one, if it names one.

    Raises:
        NotOffered: it is not offered here.
    """
    if not visit or visit.persona is None:
        return settings
    offered = offered_personas(settings, lineup)
    if visit.persona not in offered:
        raise NotOffered("persona", visit.persona, offered)
    return settings.model_copy(update={"avatar_persona": offered[visit.persona]})


def persona_for(
    settings: Settings, lineup: Lineup, body: Mapping[str, Any], given: Mapping[str, str]
) -> Persona:
    """The persona and the face that the body of /start chooses, the variables filled in.

    Whoever asks fills only those that the settings list, and none that is given.

    Raises:
        NotOffered: a choice is not offered.
        Incompatible: the variables are no mapping of names to texts, or the persona that is set
            has no voice.
        BadSetting: the persona cannot be read, or a variable has no value.
    """
    persona = persona_asked(settings, lineup, body.get("persona"))
    persona = with_face(settings, lineup, persona, body.get("avatar"))
    asked = asked_variables(body)
    allowed = {name: asked[name] for name in settings.visitor_variables if name in asked}
    return persona.filled({**allowed, **given})


def asked_variables(body: Mapping[str, Any]) -> dict[str, str]:
    """The variables in the body of /start, each one line of at most 200 characters.

    Raises:
        Incompatible: they are no mapping of names to texts.
    """
    variables = body.get("variables") or {}
    if not isinstance(variables, dict) or not all(
        isinstance(value, str | int | float) for value in variables.values()
    ):
        raise Incompatible(
            '"variables" in the body of /start must map names to texts', "send an object of texts"
        )
    return {name: one_line(str(value), LONGEST_VALUE) for name, value in variables.items()}
