"""What a picture costs to encode, as VP8 and as H.264: `python -m benchmarks.codecs`.

The pictures are those of a face that speaks as long as it listens; the same one once more is not
encoded. Times are CPU of the thread that encodes.
"""

import time
from collections.abc import Sequence
from fractions import Fraction
from itertools import groupby

import numpy as np

from benchmarks.report import Report, options_parser
from pipelines.avatar.puppet import performance
from pipelines.media.encoder import FACE_HZ, Steady, SteadyH264Encoder, SteadyVp8Encoder
from pipelines.media.view import frame_of

SIZE = (1280, 720)


def cost_ms(encoder: Steady, pictures: Sequence[bytes]) -> float:
    """Milliseconds of CPU a picture, I420."""
    spent_s, count = 0.0, 0
    for picture, _ in groupby(pictures):
        frame = frame_of(np.frombuffer(picture, np.uint8).reshape(SIZE[1] * 3 // 2, SIZE[0]))
        frame.pts, frame.time_base = count, Fraction(1, FACE_HZ)
        began_s = time.thread_time()
        encoder.encode(frame)
        spent_s += time.thread_time() - began_s
        count += 1
    return 1000 * spent_s / count


def main() -> None:
    """Encode in turn, and print."""
    parser = options_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    pictures = performance("mira", SIZE)
    rounds = [
        [cost_ms(kind(), pictures) for kind in (SteadyVp8Encoder, SteadyH264Encoder)]
        for _ in range(options.rounds)
    ]
    report = Report("What a picture costs to encode, 1280x720", options)
    report.add("VP8", "ms of CPU", [vp8 for vp8, _ in rounds])
    report.add("H.264", "ms of CPU", [h264 for _, h264 in rounds])
    report.add("H.264 to VP8", "ratio", [h264 / vp8 for vp8, h264 in rounds])
    report.finish()


if __name__ == "__main__":
    main()
