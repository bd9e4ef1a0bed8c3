"""Profiles: the file that says which models run where, with which keys, how many at once and how fast.

places      where profiles are found           load        text -> checked profile, or located problems
form        the types of the file              references  what a profile refers to must be there
effective   profile -> lanes and their limits  secrets     references -> endpoints, just before sending
check       valid, but hardly meant            diff        two profiles compared by what they mean
"""

from __future__ import annotations

from console.profile.check import CHECKS, Finding, check
from console.profile.diff import DiffRow, ProfileDiff, diff
from console.profile.effective import (
    NO_KEY,
    ModelTotals,
    class_limits,
    key_scopes,
    lane_places,
    lane_setups,
    lease_rule,
    model_protocols,
    reply_lengths,
    split_rule,
    split_rules,
    timeouts,
    totals,
    usable_keys,
)
from console.profile.form import (
    ClassLimits,
    Deployment,
    Guess,
    Key,
    LaneLimits,
    Lease,
    Model,
    Profile,
    Provider,
    RateLimits,
    RequestLimits,
    Retries,
    Start,
    TimeoutTable,
)
from console.profile.load import LoadedProfile, load_profile, load_source
from console.profile.places import (
    ProfilePlace,
    ProfileSource,
    builtin_names,
    find_profile,
    list_profiles,
    read_text,
    user_profiles_dir,
)
from console.profile.secrets import resolve_endpoints, resolve_secret
from console.profile.table import effective_lines
from console.profile.write import (
    ad_hoc_profile,
    dump_toml,
    new_profile,
    profile_from_record,
    profile_record,
    write_new,
)

__all__ = [
    "CHECKS",
    "NO_KEY",
    "ClassLimits",
    "Deployment",
    "DiffRow",
    "Finding",
    "Guess",
    "Key",
    "LaneLimits",
    "Lease",
    "LoadedProfile",
    "Model",
    "ModelTotals",
    "Profile",
    "ProfileDiff",
    "ProfilePlace",
    "ProfileSource",
    "Provider",
    "RateLimits",
    "RequestLimits",
    "Retries",
    "Start",
    "TimeoutTable",
    "ad_hoc_profile",
    "builtin_names",
    "check",
    "class_limits",
    "diff",
    "dump_toml",
    "effective_lines",
    "find_profile",
    "key_scopes",
    "lane_places",
    "lane_setups",
    "lease_rule",
    "list_profiles",
    "load_profile",
    "load_source",
    "model_protocols",
    "new_profile",
    "profile_from_record",
    "profile_record",
    "read_text",
    "reply_lengths",
    "resolve_endpoints",
    "resolve_secret",
    "split_rule",
    "split_rules",
    "timeouts",
    "totals",
    "usable_keys",
    "user_profiles_dir",
    "write_new",
]
