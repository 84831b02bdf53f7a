"""Loads py3langid's model as a file that is mapped into memory, so that only what is used takes room.

The model's automaton and table take 70 MB, of which texts in a few languages touch a small part. py3langid unpacks
them into a temporary file, and reads that into memory; here the file stays, without a name, and is mapped.
"""

import lzma
import shutil
import struct
import tempfile
import zipfile
from array import array
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from py3langid.langid import MODEL_DIR, MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped] # no py.typed

_ZIP_LENGTHS = struct.Struct("<26xHH")  # of name and extra field, in the local header of a ZIP's member (APPNOTE 4.3.7)


def load_language_model() -> LanguageIdentifier:
    """Returns the model that comes with py3langid. It tells probabilities."""
    with tempfile.TemporaryFile() as unpacked:
        with lzma.open(MODEL_DIR / MODEL_FILE) as packed:
            shutil.copyfileobj(packed, unpacked)
        unpacked.flush()
        arrays = _mapped(unpacked)
    model = LanguageIdentifier(
        arrays["ptc"],
        np.array(arrays["pc"]),
        arrays["classes"].tolist(),
        arrays["nextmove"].data,
        array("i", arrays["out_feat"].tolist()),
        norm_probs=True,
        tk_row=arrays["nextmove_row"].tolist(),
    )
    # As arrays they take an eighth of the room, and reading a list writes to its members' reference counts: then forked
    # processes no longer share them.
    model.tk_row = None  # used to make the next, which is used
    model._rowbase = array("I", model._rowbase)  # noqa: SLF001 - py3langid has no other way
    return model


def _mapped(npz: IO[bytes]) -> dict[str, npt.NDArray[Any]]:
    """Returns the arrays in an uncompressed .npz file. They stay mapped when the file is closed."""
    with zipfile.ZipFile(npz) as archive:
        return {info.filename.removesuffix(".npy"): _member(npz, archive, info) for info in archive.infolist()}


def _member(npz: IO[bytes], archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> npt.NDArray[Any]:
    with archive.open(info) as npy:
        np.lib.format.read_magic(npy)
        shape, _, kind = np.lib.format.read_array_header_1_0(npy)
        header_bytes = npy.tell()
    npz.seek(info.header_offset)
    name, extra = _ZIP_LENGTHS.unpack(npz.read(_ZIP_LENGTHS.size))
    offset = info.header_offset + _ZIP_LENGTHS.size + name + extra + header_bytes
    # As a plain array: a memmap's own class works in Python each time that rows are taken out of it.
    return np.asarray(np.memmap(npz, kind, "r", offset, shape))
