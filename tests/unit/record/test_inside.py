import pytest

from agnews_ray.errors import StoreError
from agnews_ray.record.inside import files_below, leads_out, refuse_links, stays_inside


@pytest.mark.parametrize("name", ["../x", "trials/../../x", "/etc/passwd", "a/..", "a\0b"])
def test_names_that_leave_their_folder(name):
    assert not stays_inside(name)


@pytest.mark.parametrize("name", ["x", "trials/a..b/record.json", "..x", "a/./b"])
def test_names_that_stay(name):
    assert stays_inside(name)


def test_a_path_leads_out_by_a_link_or_by_dots(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "own").touch()
    (folder / "near").symlink_to("own")
    (folder / "far").symlink_to(tmp_path)
    assert not leads_out(folder / "own", folder)
    assert not leads_out(folder / "near", folder)
    assert leads_out(folder / "far" / "x", folder)
    assert leads_out(folder / ".." / "x", folder)


def test_a_folder_that_is_a_link_itself_holds_its_files(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "own").touch()
    (tmp_path / "link").symlink_to("folder")
    assert not leads_out(tmp_path / "link" / "own", tmp_path / "link")
    assert files_below(tmp_path / "link") == [str(tmp_path / "link" / "own")]


def test_no_link_is_listed_or_followed(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "secret").touch()
    (folder / "file").symlink_to(tmp_path / "secret")
    (folder / "up").symlink_to(tmp_path)
    (folder / "circle").symlink_to(folder)
    assert files_below(folder) == []
    assert files_below(tmp_path / "none") == []


def test_a_name_of_ours_that_is_a_link_is_refused(tmp_path):
    (tmp_path / "trials").mkdir()
    refuse_links(tmp_path, ["trials", "none"])
    (tmp_path / ".staging").symlink_to("/home")
    with pytest.raises(StoreError, match="a link to /home"):
        refuse_links(tmp_path, ["trials", ".staging"])
