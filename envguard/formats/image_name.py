"""The name of a container image, as docker writes it."""

from __future__ import annotations

import re

from envguard.errors import InputError
from envguard.model.image import BaseImage, ImageName, Images

PREFIX = "image:"
_HUB = re.compile(r"\A(?:(?:index\.|registry-1\.)?docker\.io/)(?:library/)?")
_NAME = re.compile(
    r"(?P<repository>(?:[\w.-]+(?::\d+)?/)?[a-z0-9][a-z0-9._/-]*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>[\w+.-]+:[0-9a-fA-F]{32,}))?"
)
_TAG_ALONE = re.compile(r"\d+\.\d+[\w.-]*-(?:runtime|devel)")


def parse_image_name(text: str) -> ImageName | None:
    """Read a reference; None = it is none. `2.7.1-cuda12.8-cudnn9-runtime` alone is pytorch/pytorch's."""
    written = text.strip()
    if _TAG_ALONE.fullmatch(written):
        return ImageName(f"pytorch/pytorch:{written}", "pytorch/pytorch", written)
    match = _NAME.fullmatch(_HUB.sub("", written))
    if match is None:
        return None
    return ImageName(written, match["repository"], match["tag"], match["digest"])


def image_subject(text: str) -> Images:
    """One image as what is checked; raises InputError for what is no reference."""
    name = parse_image_name(text.removeprefix(PREFIX))
    if name is None:
        raise InputError(
            f"{text!r} is no name of an image",
            hint="write it as in a FROM line: image:pytorch/pytorch:2.7.1-cuda12.8-cudnn9-runtime",
        )
    return Images("image", (BaseImage(name, name.text),))
