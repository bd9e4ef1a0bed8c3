"""The options that say whose capacity is measured; one place, so that all commands of `capacity` mean the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import click

from console.cli.option_group import option_group
from console.vocabulary.errors import ConsoleError

if TYPE_CHECKING:
    from console.profile.load import LoadedProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A model under a profile, or at an endpoint without one."""

    profile: str | None
    base_url: str | None
    model: str
    key_ref: str | None
    api: Literal["openai", "azure"]
    api_version: str | None
    overrides: tuple[str, ...]

    def load(self, workers: int) -> LoadedProfile:
        """Return the profile, or one made of the flags.

        Args:
            workers: the most that are to be in flight; without a profile its limit.

        Raises:
            ConsoleError: if neither or both are given, or what is given is wrong.
        """
        from console.profile.load import LoadedProfile, load_profile
        from console.profile.write import AD_HOC_FLAGS, ad_hoc_profile

        if (self.profile is None) == (self.base_url is None):
            raise ConsoleError("give either --profile or --base-url", hint="--profile sim needs no server")
        if self.profile is not None:
            if self.key_ref is not None:
                raise ConsoleError("--key goes with --base-url; a profile names its keys itself")
            return load_profile(self.profile, self.overrides, rate_mode="fixed")
        assert self.base_url is not None
        made = ad_hoc_profile(
            base_url=self.base_url,
            model=self.model,
            api=self.api,
            key_ref=self.key_ref,
            api_version=self.api_version,
            workers=workers,
        )
        return LoadedProfile(
            profile=made, name=made.name, origin="command line", path=None, text="", flags=AD_HOC_FLAGS
        )


_OPTIONS = (
    click.option("--profile", "-p", help="Drive all lanes of the model under this profile."),
    click.option("--base-url", help="Or an endpoint without a profile, up to and with /v1."),
    click.option("--model", required=True, help="Model name; for --base-url what the server calls it."),
    click.option("--key", "key_ref", help="Reference to the key for --base-url, such as env:OPENAI_API_KEY."),
    click.option("--api", type=click.Choice(["openai", "azure"]), default="openai", show_default=True),
    click.option("--api-version", help="For --api azure."),
    click.option(
        "--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Change a value of the profile."
    ),
)

target_options = option_group(Target, "target", _OPTIONS)
"""Add the options, which the command gets as `target`."""
