"""The limits of a profile as a table: what stands in its cells, and what a cell's text makes of the profile.

A row for each model class in each rate mode, a column for each figure, so that all of it is seen in 80 columns. Below
them the gates of each provider, which hold in both modes. Nothing is judged here but by the reader of profiles.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from console.profile.complaints import Complaint
from console.profile.draft import Draft, Judged, judge
from console.profile.overrides import plain_value
from console.profile.references import deployments_of
from console.profile.table import cells
from console.profile.table_diff import same, with_value, without
from console.profile.tables import Table, as_table, at_path
from console.profile.toml_lines import KeyPath, dotted
from console.vocabulary.lane import RateMode
from console.vocabulary.safe_text import safe_line
from widgets.edit_cells import EditCell, EditColumn, EditRow

FIGURES: Final = ("workers", "qps", "rpm", "tpm")
MODES: Final[tuple[RateMode, ...]] = ("fixed", "adaptive")
GATES: Final = {
    "key": "each key",
    "deployment": "each deployment",
    "model": "each model",
    "provider": "all of it",
}
MULTIPLIER: Final = "prompt_multiplier"
PER: Final = "per"
NONE: Final = "none"
_GROUPED = re.compile(r"\d{1,3}(,\d{3})+")
_WORDS: Final = {"yes": True, "no": False, "on": True, "off": False}


def columns() -> tuple[EditColumn, ...]:
    """Return the columns."""
    figures = (EditColumn(figure, figure, none_text=NONE, least=4) for figure in FIGURES)
    return (
        *figures,
        EditColumn(MULTIPLIER, "mult", none_text="", least=4),
        EditColumn(PER, "per", none_text="", least=4),
    )


def rows(draft: Draft, judged: Judged, mode: str) -> tuple[EditRow, ...]:
    """Return two rows for each class that has limits or needs them, then one for each gate.

    The row of the rate mode in force bears it in capitals.
    """
    wrong = {one.path: one for one in judged.complaints}
    classes = _classes(draft.now)
    width = max((cells(safe_line(name, 40)) for name in classes), default=0)
    made: list[EditRow] = []
    for name in classes:
        for one in MODES:
            shown_name = safe_line(name, 40) if one == MODES[0] else ""
            label = f"{shown_name}{' ' * (width - cells(shown_name))} {one.upper() if one == mode else one}"
            made.append(_row(draft, wrong, f"{name} {one}", label, mode))
    for provider in as_table(draft.now.get("providers")):
        made.append(EditRow(f"{provider}:", f"gates: {safe_line(provider, 40)}", tone="strong"))
        made += [_row(draft, wrong, f"{provider}:{kind}", f" {said}", mode) for kind, said in GATES.items()]
    return tuple(made)


def path_of(row: str, column: str) -> KeyPath:
    """Return where the value of a cell stands in a profile."""
    provider, colon, kind = row.partition(":")
    if colon:
        return ("providers", provider, "limits", kind, column)
    name, _, mode = row.rpartition(" ")
    table, _, model_class = name.rpartition("/")
    return ("limits", table, model_class, *((mode, column) if column in FIGURES else (column,)))


def class_of(row: str) -> str:
    """Return the class that a row speaks of, as in `azure/open`; of a gate, nothing."""
    return "" if is_gate(row) else row.rpartition(" ")[0]


def is_gate(row: str) -> bool:
    """Whether a row is a gate's, which holds in both modes."""
    return ":" in row


def typed(draft: Draft, row: str, column: str, text: str) -> Table:
    """Return the tables with what the text of a cell says in them; nothing, or `none`, is no limit."""
    path = path_of(row, column)
    value = value_of(column, text)
    if value is None or (
        column in (MULTIPLIER, PER) and value in (False, "lane") and at_path(draft.saved, path) is None
    ):
        return without(draft.now, path)
    if isinstance(value, int) and not isinstance(value, bool) and type(at_path(draft.saved, path)) is float:
        value = float(value)  # 5 in place of 5.0 is no change
    return with_value(draft.now, path, value)


def value_of(column: str, text: str) -> Any:
    """Read a cell; None: no value. What is no value of a profile stays what it is, for the reader to complain of."""
    text = text.strip()
    if text.lower() in ("", NONE, "-"):
        return None
    if column == PER:
        return text.lower()
    if column == MULTIPLIER:
        return _WORDS.get(text.lower(), plain_value(text))
    return plain_value(text.replace(",", "") if _GROUPED.fullmatch(text) else text)


def toggled(draft: Draft, row: str, column: str) -> Table | None:
    """Return the tables with a choice of two turned round; None where the column is none."""
    if is_gate(row) or column not in (MULTIPLIER, PER):
        return None
    now = at_path(draft.now, path_of(row, column))
    text = ("no" if now is True else "yes") if column == MULTIPLIER else ("lane" if now == "job" else "job")
    return typed(draft, row, column, text)


def complaint(draft: Draft, judged: Judged, row: str, column: str, text: str) -> str | None:
    """Return what a file with this text in this cell would be told, if it is told more than it is without."""
    return new_complaint(draft, judged, typed(draft, row, column, text), path_of(row, column))


def new_complaint(draft: Draft, judged: Judged, table: Table, path: KeyPath) -> str | None:
    """Return the first complaint about `table` that there is not already, said from where `path` is."""
    before = {(one.path, one.message) for one in judged.complaints}
    for one in judge(table, draft.source).complaints:
        if (one.path, one.message) not in before:
            return complaint_text(one, path)
    return None


def complaint_text(one: Complaint, here: KeyPath = ()) -> str:
    """Write a complaint on one line; where it stands is left out where that is `here`."""
    where = "" if one.path == here else f"{dotted(one.path)}: "
    return safe_line(f"{where}{one.message}" + (f" ({one.hint})" if one.hint else ""), 300)


def shown(value: object) -> str:
    """Write a value as a cell has it."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case _:
            return safe_line(str(value), 24)


def _row(draft: Draft, wrong: Mapping[KeyPath, Complaint], row: str, label: str, mode: str) -> EditRow:
    return EditRow(row, label, tuple(_cell(draft, wrong, row, column.id, mode) for column in columns()))


def _cell(draft: Draft, wrong: Mapping[KeyPath, Complaint], row: str, column: str, mode: str) -> EditCell:
    path = path_of(row, column)
    if is_gate(row) and column in (MULTIPLIER, PER):
        return EditCell("", read_only=True, note="a gate counts requests, whatever prompts a job has")
    now, saved = at_path(draft.now, path), at_path(draft.saved, path)
    if column == MULTIPLIER and not is_gate(row):
        now, saved = now or False, saved or False
    elif column == PER:
        now, saved = now or "lane", saved or "lane"
    found = wrong.get(path) or wrong.get(path[:-1])
    return EditCell(
        shown(now),
        changed=not same(now, saved),
        complaint="" if found is None else complaint_text(found, path),
        note=_note(row, column, path, mode, None if same(now, saved) else shown(saved) or NONE),
    )


def _note(row: str, column: str, path: KeyPath, mode: str, saved: str | None) -> str:
    said = [safe_line(dotted(path), 100)]
    if saved is not None:
        said.append(f"saved: {saved}")
    if is_gate(row):
        said.append("holds in both rate modes")
    elif column == MULTIPLIER:
        said.append("yes: workers times the prompt types in a job; space changes it")
    elif column == PER:
        said.append("job: each job has its own copy of the limits; space changes it")
    elif not row.endswith(f" {mode}"):
        said.append(f"the rate mode is {safe_line(mode, 20)}: m changes it")
    return " · ".join(said)


def _classes(raw: Table) -> Sequence[str]:
    return list(dict.fromkeys(_class_rows(raw)))


def _class_rows(raw: Table) -> Iterator[str]:
    for table, classes in as_table(raw.get("limits")).items():
        yield from (f"{table}/{model_class}" for model_class in as_table(classes))
    providers = as_table(raw.get("providers"))
    for name, model in as_table(raw.get("models")).items():
        model_class = as_table(model).get("class")
        for _, provider, _ in deployments_of(name, as_table(model)):
            if provider in providers and model_class in ("open", "closed"):
                yield f"{as_table(providers[provider]).get('limits_as', provider)}/{model_class}"
