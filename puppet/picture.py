"""Pictures as planes: colours to I420 (BT.601, limited range), placing, and the backdrop."""

from typing import NamedTuple

import cv2
import numpy as np

# RGB 0..255 to Y, U, V of BT.601 in limited range (16..235, 16..240), as WebRTC and libvpx expect.
TO_YUV = np.array(
    [
        [0.256788, 0.504129, 0.097906, 16],
        [-0.148223, -0.290993, 0.439216, 128],
        [0.439216, -0.367788, -0.071427, 128],
    ],
    np.float32,
)
LIGHT = np.array([238, 229, 216], np.float32)
SHADE = np.array([176, 165, 155], np.float32)
GLOW = np.array([1, 0.8, 0.5], np.float32)
# x, y, radius as shares of the longer side, strength: out-of-focus lights.
LAMPS = (
    (0.10, 0.62, 0.060, 7.0),
    (0.17, 0.16, 0.090, 5.0),
    (0.30, 0.40, 0.050, -4.0),
    (0.72, 0.14, 0.070, 6.0),
    (0.86, 0.47, 0.095, 7.0),
    (0.95, 0.22, 0.045, 4.0),
)


class Picture(NamedTuple):
    """Planes, uint8: luma (height, width), u and v (height / 2, width / 2)."""

    luma: np.ndarray
    u: np.ndarray
    v: np.ndarray

    def view(self, rows: slice, columns: slice) -> "Picture":
        """A part of the picture, in luma pixels with even edges, that shares its memory."""
        half = (
            slice(rows.start // 2, rows.stop // 2),
            slice(columns.start // 2, columns.stop // 2),
        )
        return Picture(self.luma[rows, columns], self.u[half], self.v[half])

    def paste(self, other: "Picture") -> None:
        """Copy a picture of the same size into this one."""
        for mine, theirs in zip(self, other, strict=True):
            np.copyto(mine, theirs)


def planes(image: np.ndarray) -> Picture:
    """The planes of an I420 image, uint8 (height * 3 // 2, width), sharing its memory."""
    height, width = image.shape[0] * 2 // 3, image.shape[1]
    u, v = image[height:].reshape(2, height // 2, width // 2)
    return Picture(image[:height], u, v)


def to_i420(picture: Picture) -> np.ndarray:
    """A new I420 image, uint8 (height * 3 // 2, width)."""
    height, width = picture.luma.shape
    image = np.empty((height * 3 // 2, width), np.uint8)
    planes(image).paste(picture)
    return image


class Fit(NamedTuple):
    """Where a portrait lands in a frame: scale, then offset, in pixels."""

    scale: float
    left: float
    top: float


def to_picture(rgb: np.ndarray) -> Picture:
    """Planes of an RGB image, float32 (height, width, 3) 0..255, both sides even."""
    yuv = cv2.transform(rgb, TO_YUV)
    height, width = yuv.shape[:2]
    chroma = cv2.resize(yuv[..., 1:], (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    return Picture(to_bytes(yuv[..., 0]), to_bytes(chroma[..., 0]), to_bytes(chroma[..., 1]))


def mix(first: Picture, second: Picture, share: float) -> Picture:
    """first at 0, second at 1."""
    if share <= 0.01:
        return first
    if share >= 0.99:
        return second
    return Picture(
        *(cv2.addWeighted(a, 1 - share, b, share, 0) for a, b in zip(first, second, strict=True))
    )


def place(
    image: np.ndarray, corner: tuple[int, int], fit: Fit, rect: tuple[int, ...]
) -> np.ndarray:
    """The part of the frame inside rect, drawn from an image whose corner is at (x, y) in the
    portrait; the type stays. Beyond the image its border goes on."""
    scale = fit.scale
    if scale < 1:
        image = cv2.GaussianBlur(image, (0, 0), 0.5 * (scale**-2 - 1) ** 0.5 + 1e-3)
    x0, y0, x1, y1 = rect
    half = (scale - 1) / 2
    matrix = np.array(
        [
            [scale, 0, scale * corner[0] + fit.left + half - x0],
            [0, scale, scale * corner[1] + fit.top + half - y0],
        ]
    )
    method = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR
    size = (x1 - x0, y1 - y0)
    return cv2.warpAffine(image, matrix, size, flags=method, borderMode=cv2.BORDER_REPLICATE)


def backdrop(width: int, height: int) -> np.ndarray:
    """A soft, warm wall out of focus: float32 (height, width, 3) RGB, dithered against bands."""
    longer = max(width, height)
    small = max(2, round(320 * width / longer)), max(2, round(320 * height / longer))
    x, y = np.meshgrid(*((np.arange(side, dtype=np.float32) + 0.5) / 320 for side in small))
    right, bottom = width / longer, height / longer
    away = np.clip(np.hypot(x - 0.42 * right, y - 0.3 * bottom) / 0.8, 0, 1)[..., None]
    wall = LIGHT * (1 - away) + SHADE * away
    for lamp_x, lamp_y, radius, strength in LAMPS:
        distance = np.hypot(x - lamp_x * right, y - lamp_y * bottom * 1.2) / radius
        wall += (strength * np.exp(-(distance**4)))[..., None] * GLOW
    wall = cv2.resize(wall, (width, height), interpolation=cv2.INTER_LINEAR)
    grain = np.random.default_rng(0).uniform(-0.5, 0.5, (height, width, 1))
    return wall + grain.astype(np.float32)


def to_bytes(values: np.ndarray) -> np.ndarray:
    """Positive numbers rounded to uint8, at most 255."""
    return cv2.convertScaleAbs(values)
