"""Collections of handwriting: where the pictures are, what is wrong with them, how they are split, and their packs."""

from hanzi_core.dataset.entry import Source
from hanzi_core.dataset.faults import find_faults
from hanzi_core.dataset.importing import ImportConfig, import_dataset, rescan
from hanzi_core.dataset.leaks import find_leaks
from hanzi_core.dataset.manifest import Fault, fault_name, read_manifest
from hanzi_core.dataset.pack import open_pack
from hanzi_core.dataset.pack_file import Pack
from hanzi_core.dataset.scan import scan
from hanzi_core.dataset.source import open_source
from hanzi_core.dataset.split import Part, SplitSettings, assign_parts, split_shortfalls
from hanzi_core.dataset.store import Dataset, list_datasets

__all__ = [
    "Dataset",
    "Fault",
    "ImportConfig",
    "Pack",
    "Part",
    "Source",
    "SplitSettings",
    "assign_parts",
    "fault_name",
    "find_faults",
    "find_leaks",
    "import_dataset",
    "list_datasets",
    "open_pack",
    "open_source",
    "read_manifest",
    "rescan",
    "scan",
    "split_shortfalls",
]
