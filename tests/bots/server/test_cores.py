"""A container's limit of time counts, whichever way it is told."""

import os

import pytest

from bots.server.cores import cores, quotas


@pytest.fixture
def groups(tmp_path):
    """Writes the files of control groups, and gives the limits that are read from them."""

    def write(own: str, files: dict[str, str]) -> list[float]:
        (tmp_path / "own").write_text(own)
        for name, text in files.items():
            file = tmp_path / "groups" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return list(quotas(tmp_path / "own", tmp_path / "groups"))

    return write


@pytest.mark.parametrize(
    ("own", "files", "limits"),
    [
        ("0::/\n", {"cpu.max": "150000 100000\n"}, [1.5]),
        ("0::/\n", {"cpu.max": "max 100000\n"}, []),
        ("0::/\n", {}, []),
        ("0::/pod/one\n", {"pod/one/cpu.max": "max 100000", "pod/cpu.max": "50000 100000"}, [0.5]),
        ("0::/../one\n", {"cpu.max": "150000 100000\n"}, [1.5]),
        (
            "3:cpu,cpuacct:/\n2:memory:/\n",
            {"cpu,cpuacct/cpu.cfs_quota_us": "200000", "cpu,cpuacct/cpu.cfs_period_us": "100000"},
            [2.0],
        ),
        (
            "3:cpu,cpuacct:/\n",
            {"cpu,cpuacct/cpu.cfs_quota_us": "-1", "cpu,cpuacct/cpu.cfs_period_us": "100000"},
            [],
        ),
        ("", {"cpu.max": "150000 100000\n"}, []),
    ],
)
def test_the_limit_of_each_group_is_read(groups, own, files, limits):
    assert groups(own, files) == limits


def test_where_nothing_tells_of_groups_there_is_no_limit(tmp_path):
    assert not list(quotas(tmp_path / "none", tmp_path))


def test_there_are_as_many_as_the_least_of_all_limits_allows(groups, tmp_path):
    groups("0::/pod/one\n", {"pod/one/cpu.max": "75000 100000", "pod/cpu.max": "50000 100000"})
    assert cores(tmp_path / "own", tmp_path / "groups") == 0.5


def test_without_a_limit_there_are_as_many_as_it_may_run_on(tmp_path):
    unlimited = cores(tmp_path / "none", tmp_path)
    assert unlimited.is_integer()
    assert 0 < cores() <= unlimited <= (os.cpu_count() or 1)
