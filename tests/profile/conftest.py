"""A small valid profile, and files made of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

VALID = """\
name = "x"
rate_mode = "fixed"

[providers.azure]
api = "azure"
base_url = "https://example.openai.azure.com"
api_version = "2024-12-01-preview"
keys = { key0 = "env:AZURE_OPENAI_API_KEY" }

[providers.lab]
api = "openai"
base_url = "env:LAB_URL"
keys = { key0 = "env:LAB_KEY_0", key1 = "env:LAB_KEY_1" }
keys_off = ["key1"]

[models."V3"]
provider = "azure"
class = "open"
deployments = ["V3", "V3-2"]

[models."qwen2.5"]
provider = "lab"
class = "open"

[limits.azure.open]
fixed = { workers = 50 }
adaptive = { workers = 100 }

[limits.lab.open]
fixed = { workers = 2, qps = 5 }
adaptive = { workers = 3 }

[timeouts]
connect = 10
"""


@pytest.fixture
def profile_file(tmp_path: Path) -> Callable[..., str]:
    """Write the valid profile, with pieces of it replaced, and return its path."""

    def write(*replacements: tuple[str, str], name: str = "x.toml") -> str:
        text = VALID
        for old, new in replacements:
            assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the valid profile"
            text = text.replace(old, new)
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write
