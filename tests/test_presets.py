import pytest

from hanzi_core.errors import WorkspaceError
from hanzi_core.image.augment import Augmentation
from hanzi_core.image.presets import BUILT_IN, delete_preset, find_preset, list_presets, save_preset
from hanzi_core.workspace import Workspace

STRONG = Augmentation(rotation_deg=30, shear_deg=0)


def test_kept_by_name(workspace: Workspace) -> None:
    assert list_presets(workspace) == BUILT_IN
    assert save_preset(workspace, " 强 ", STRONG) == "强"
    assert find_preset(workspace, "强") == STRONG
    assert list(list_presets(workspace)) == [*BUILT_IN, "强"]
    save_preset(workspace, "强", Augmentation())
    assert find_preset(workspace, "强") == Augmentation()
    delete_preset(workspace, "强")
    assert list_presets(workspace) == BUILT_IN


@pytest.mark.parametrize("name", ["classic", "a/b", ""])
def test_names_that_cannot_be(workspace: Workspace, name: str) -> None:
    with pytest.raises(WorkspaceError):
        save_preset(workspace, name, STRONG)


def test_unknown_names_are_sentences(workspace: Workspace) -> None:
    with pytest.raises(WorkspaceError, match="there are: standard, classic, none"):
        find_preset(workspace, "强")
    with pytest.raises(WorkspaceError, match="no augmentation"):
        delete_preset(workspace, "强")


def test_a_damaged_file_is_passed_over(workspace: Workspace) -> None:
    save_preset(workspace, "a", STRONG)
    for number, content in enumerate(("{", "[]", '{"zoom": 7}')):
        (workspace.root / "augmentations" / f"bad{number}.json").write_text(content)
    assert list(list_presets(workspace)) == [*BUILT_IN, "a"]
