"""JSON objects that hold their own digest."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from genlab.util.sealed import seal, unseal

VALUES: dict[str, Any] = {"step": 8, "metrics": {"l1": 0.1, "psnr": math.inf}, "title": "Häuser", "signal": None}


def test_values_come_back() -> None:
    text = seal(VALUES)
    assert unseal(text.encode()) == VALUES
    assert math.isnan(unseal(seal({"l1": math.nan}).encode())["l1"])


def test_no_change_of_a_bit_gives_other_values() -> None:
    content = seal(VALUES).encode()
    refused = 0
    for place in range(8 * len(content)):
        changed = bytearray(content)
        changed[place // 8] ^= 1 << place % 8
        try:
            found = unseal(bytes(changed))
        except ValueError:
            refused += 1
        else:
            assert VALUES.items() <= found.items()
    assert refused > 0.8 * 8 * len(content)


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.98])
def test_a_part_of_the_text_is_refused(share: float) -> None:
    content = seal(VALUES).encode()
    with pytest.raises(ValueError, match=r"\S"):
        unseal(content[: int(share * len(content))])


@pytest.mark.parametrize("content", [b"[]", b"null", b"7", b"\xff\xff"])
def test_what_is_no_object_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        unseal(content)


def test_an_edit_is_accepted_once_the_line_of_the_digest_is_removed() -> None:
    edited = seal(VALUES).replace('"step": 8', '"step": 9')
    with pytest.raises(ValueError, match="damaged or edited"):
        unseal(edited.encode())
    lines = [line for line in edited.splitlines() if "sha256" not in line]
    assert unseal("\n".join(lines).encode())["step"] == 9


def test_another_layout_is_the_same() -> None:
    assert unseal(json.dumps(json.loads(seal(VALUES))).encode()) == VALUES
