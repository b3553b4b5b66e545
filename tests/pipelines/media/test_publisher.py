"""What the bot publishes itself."""

from typing import Any

from livekit import rtc
from livekit.rtc.participant import PublishTrackError
from pipecat.frames.frames import OutputImageRawFrame

from pipelines.media.publisher import Publisher

SIZE = (64, 36)


class Refusing(rtc.Room):
    """A room that takes a track only at the second try; it is its own participant."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[str] = []
        self._asked = 0

    @property
    def local_participant(self) -> Any:
        return self

    def isconnected(self) -> bool:
        return True

    async def publish_track(self, track: rtc.LocalTrack, _options: rtc.TrackPublishOptions) -> None:
        self._asked += 1
        if self._asked == 1:
            raise PublishTrackError("not now")
        self.taken.append(track.name)


async def test_a_picture_that_a_room_does_not_take_is_offered_again():
    room = Refusing()
    publisher = Publisher(lambda: room, SIZE)
    picture = OutputImageRawFrame(bytes(SIZE[0] * SIZE[1] * 3), SIZE, "RGB")
    assert not await publisher.show(picture)
    assert await publisher.show(picture) and room.taken == ["picture"]
    await publisher.aclose()
