"""What tests of several processes on virtual time need: a disk that is quick, and a rig whose processes are made up."""

from __future__ import annotations

import pytest
from part_rig import Rig


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch):
    monkeypatch.setattr("console.records.journal._sync_data", lambda fd: None)
    monkeypatch.setattr("console.records.journal.sync_directory", lambda directory: None)


@pytest.fixture
def make_rig(monkeypatch, tmp_path):
    def make(lanes, client=None, **options):
        rig = Rig(tmp_path, lanes, client, **options)
        monkeypatch.setattr("console.processes.child.started", rig.started)
        return rig

    return make
